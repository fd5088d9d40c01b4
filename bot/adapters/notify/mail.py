"""Tells people by e-mail: one plain text message by SMTP, one conversation per promotion.

Decides headers and security. The message's id is the same for every try, so that a mailbox that got it twice shows it once.
"""

import smtplib
import ssl
from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from bot.adapters.notify.audience import wants
from bot.adapters.notify.posting import identity
from bot.adapters.notify.shelf import Means
from bot.config.notifications import Mail
from bot.domain.action import Notify
from bot.domain.errors import Refused, TransientError
from bot.messages.cloudevents import EVENT

SECONDS = 15.0


class MailTeller:
    """One list of receivers on one mail server."""

    def __init__(self, name: str, mail: Mail, means: Means) -> None:
        self._name = f"the mail server of {name}"
        self._mail = mail
        self._means = means

    def wants(self, notice: Notify) -> bool:
        """Messages for people only."""
        return EVENT not in notice.fields and wants(self._mail, notice)

    def tell(self, notice: Notify, *, now: datetime) -> None:
        """One try."""
        login = self._means.credentials.named(self._mail.credential) if self._mail.credential else ""
        try:
            with self._connected() as server:
                if self._mail.security == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if login and self._mail.security != "none":
                    user, _, password = login.partition(":")
                    server.login(user, password)
                server.send_message(message(notice, self._mail, at=now))
        except smtplib.SMTPAuthenticationError:
            raise Refused(f"{self._name} takes neither user nor password.", fix="correct the credential") from None
        except smtplib.SMTPNotSupportedError:
            raise Refused(f"{self._name} offers no TLS or no login.", fix="set `security` to what the server speaks") from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = {code for code, _ in error.recipients.values()}
            raise self._failed(min(codes, default=550), "the receivers") from None
        except smtplib.SMTPResponseException as error:
            raise self._failed(error.smtp_code, "the message") from None
        except (smtplib.SMTPException, OSError) as error:
            raise TransientError(f"{self._name} cannot be reached ({type(error).__name__})") from None

    def _connected(self) -> smtplib.SMTP:
        if self._mail.security == "tls":
            return smtplib.SMTP_SSL(self._mail.host, self._mail.port, timeout=SECONDS, context=ssl.create_default_context())
        return smtplib.SMTP(self._mail.host, self._mail.port, timeout=SECONDS)

    def _failed(self, code: int, what: str) -> TransientError | Refused:
        if 400 <= code < 500:
            return TransientError(f"{self._name} did not take {what} now ({code})")
        return Refused(f"{self._name} refused {what} ({code}).", fix="correct `sender` and `to`, or mend the server")


def message(notice: Notify, mail: Mail, *, at: datetime) -> EmailMessage:
    """Plain text; line ends in names from outside cannot make headers."""
    found = EmailMessage()
    domain = mail.sender.rpartition("@")[2]
    what = " ".join(f"[{notice.severity.value}] {notice.service + ' in ' if notice.service else ''}{notice.stage}".split())
    found["Subject"] = f"{what}: {' '.join(notice.text.split())}"[:180]
    found["From"] = mail.sender
    found["To"] = ", ".join(mail.to)
    found["Date"] = format_datetime(at)
    found["Message-ID"] = f"<{identity(notice.key)}@{domain}>"
    found["References"] = f"<{identity('thread:' + notice.thread)}@{domain}>"
    found["Auto-Submitted"] = "auto-generated"
    lines = [notice.text, "", *(f"{name}: {value}" for name, value in notice.fields.items() if value)]
    found.set_content("\n".join(lines).rstrip() + "\n")
    return found


def build(means: Means) -> Mapping[str, MailTeller]:
    """Those of the configuration."""
    return {name: MailTeller(name, mail, means) for name, mail in means.notifications.mail.items()}

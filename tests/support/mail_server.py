"""A real SMTP server on loopback, as small as one can be: it takes messages, or answers with a code of the test's choice."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message


@dataclass(slots=True)
class Mailbox:
    """What came in; `refuses` maps a command (`RCPT`, `DATA`) to the answer that it gets."""

    port: int = 0
    messages: list[Message] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A server for the time of a test."""
    box = Mailbox()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 mail.example ESMTP")
            while line := self.rfile.readline().decode().strip():
                command = line[:4].upper()
                if command in box.refuses:
                    self.say(box.refuses[command])
                elif command == "DATA":
                    self.say("354 go on")
                    box.messages.append(message_from_bytes(b"".join(iter(self.rfile.readline, b".\r\n"))))
                    self.say("250 kept")
                elif command == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    box.receivers += [line.partition(":")[2].strip("<> ")] if command == "RCPT" else []
                    self.say("250 mail.example" if command in ("EHLO", "HELO", "MAIL", "RCPT", "RSET") else "502 unknown")

        def say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.daemon_threads = True
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield box
        server.shutdown()
        thread.join(timeout=5)

"""The refusals of the GitHub-compatible server: status, message and the field errors, as GitHub words them.

Raised by every part below the HTTP surface; `rest` and `graphql` turn them into their own shapes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

DOCUMENTATION = "https://docs.github.com/rest"


@dataclass(slots=True)
class ApiError(Exception):
    """An answer that is not a success. `graphql_type` is the `type` of the same refusal in a GraphQL answer."""

    status: int
    message: str
    errors: Sequence[Mapping[str, str] | str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    graphql_type: str | None = None

    def body(self) -> dict[str, object]:
        """The JSON object of a REST answer."""
        answer: dict[str, object] = {"message": self.message}
        if self.errors:
            answer["errors"] = [dict(error) if isinstance(error, Mapping) else error for error in self.errors]
        return answer | {"documentation_url": DOCUMENTATION, "status": str(self.status)}

    def kind(self) -> str:
        """The GraphQL error type."""
        if self.graphql_type:
            return self.graphql_type
        return {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 404: "NOT_FOUND", 429: "RATE_LIMITED"}.get(self.status, "UNPROCESSABLE")

    def sentence(self) -> str:
        """The message of a GraphQL error: the field errors say more than `Validation Failed`."""
        said = [error if isinstance(error, str) else error.get("message", "") for error in self.errors]
        told = ", ".join(text for text in said if text)
        return told or self.message


def not_found() -> ApiError:
    """404, also what GitHub says of a private thing that the caller may not see."""
    return ApiError(404, "Not Found")


def invalid(resource: str, field_name: str, message: str = "", *, code: str = "custom") -> ApiError:
    """422 with one field error."""
    error = {"resource": resource, "code": code, "field": field_name}
    if message:
        error = {"resource": resource, "code": code, "message": message}
    return ApiError(422, "Validation Failed", errors=[error])


def unprocessable(message: str) -> ApiError:
    """422 with a plain message (the git database routes answer so)."""
    return ApiError(422, message)

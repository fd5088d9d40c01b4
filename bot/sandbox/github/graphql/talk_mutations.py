"""Mutations of labels, comments and reactions."""

from dataclasses import dataclass

from bot.sandbox.github.graphql.nodes import Context, Info, Json
from bot.sandbox.github.graphql.objects import label
from bot.sandbox.github.graphql.payloads import answer, subject
from bot.sandbox.github.graphql.pulls import comment_node
from bot.sandbox.github.graphql.queries import comment_of, issue_of, label_of, repository_of
from bot.sandbox.github.ids import node_id
from bot.sandbox.github.service import issues
from bot.sandbox.github.state import Reaction
from bot.sandbox.github.views.times import stamp

REACTIONS = {
    "THUMBS_UP": "+1",
    "THUMBS_DOWN": "-1",
    "LAUGH": "laugh",
    "HOORAY": "hooray",
    "CONFUSED": "confused",
    "HEART": "heart",
    "ROCKET": "rocket",
    "EYES": "eyes",
}


@dataclass(frozen=True, slots=True)
class TalkMutations:
    """Each field takes `input` and returns its payload."""

    context: Context

    def createLabel(self, info: Info, input: Json) -> Json:
        context = self.context
        repository = repository_of(context, input["repositoryId"])
        context.allow(repository, "issues=write; pull_requests=write")
        made = issues.create_label(
            context.world, repository, context.caller, input["name"], color=input["color"], description=input.get("description")
        )
        return answer(self.context, input, label=label(made))

    def addLabelsToLabelable(self, info: Info, input: Json) -> Json:
        context = self.context
        repository, issue = issue_of(context, input["labelableId"])
        context.allow(repository, "issues=write; pull_requests=write", "triage")
        found = [label_of(repository, identifier) for identifier in input["labelIds"]]
        issues.add_labels(context.world, repository, context.caller, issue, found)
        return answer(self.context, input, labelable=subject(self.context, repository, issue))

    def removeLabelsFromLabelable(self, info: Info, input: Json) -> Json:
        context = self.context
        repository, issue = issue_of(context, input["labelableId"])
        context.allow(repository, "issues=write; pull_requests=write", "triage")
        for found in [label_of(repository, identifier) for identifier in input["labelIds"]]:
            if found in issue.labels:
                issues.remove_label(context.world, repository, context.caller, issue, found.name)
        return answer(self.context, input, labelable=subject(self.context, repository, issue))

    def addComment(self, info: Info, input: Json) -> Json:
        context = self.context
        repository, issue = issue_of(context, input["subjectId"])
        context.allow(repository, "issues=write; pull_requests=write", "read")
        comment = issues.create_comment(context.world, repository, context.caller, issue, input["body"])
        edge = {"cursor": str(len(issue.comments)), "node": comment_node(context, repository, issue, comment)}
        return answer(self.context, input, commentEdge=edge, subject=subject(self.context, repository, issue))

    def updateIssueComment(self, info: Info, input: Json) -> Json:
        context = self.context
        repository, issue, comment = comment_of(context, input["id"])
        own = comment.author is context.caller.account
        context.allow(repository, "issues=write; pull_requests=write", "read" if own else "write")
        issues.edit_comment(context.world, repository, context.caller, issue, comment, input["body"])
        return answer(self.context, input, issueComment=comment_node(context, repository, issue, comment))

    def minimizeComment(self, info: Info, input: Json) -> Json:
        context = self.context
        repository, issue, comment = comment_of(context, input["subjectId"])
        context.allow(repository, "issues=write; pull_requests=write")
        comment.minimized = input["classifier"].lower().replace("_", "-")
        return answer(self.context, input, minimizedComment=comment_node(context, repository, issue, comment))

    def addReaction(self, info: Info, input: Json) -> Json:
        context = self.context
        repository, _, comment = comment_of(context, input["subjectId"])
        context.allow(repository, "issues=write; pull_requests=write", "read")
        reaction, _ = issues.react(context.world, context.caller, comment, REACTIONS[input["content"]])
        return answer(self.context, input, reaction=reaction_node(reaction, input["content"]))

    def removeReaction(self, info: Info, input: Json) -> Json:
        context = self.context
        repository, _, comment = comment_of(context, input["subjectId"])
        context.allow(repository, "issues=write; pull_requests=write", "read")
        reaction = issues.unreact(context.caller, comment, REACTIONS[input["content"]])
        return answer(self.context, input, reaction=reaction_node(reaction, input["content"]))


def reaction_node(reaction: Reaction, content: str) -> Json:
    """`Reaction`."""
    found = {"id": node_id("REA", reaction.id), "databaseId": reaction.id, "content": content}
    return found | {"createdAt": stamp(reaction.created_at), "user": None}

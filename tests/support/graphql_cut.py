"""Cuts GitHub's GraphQL schema (npm @octokit/graphql-schema) down to what the sandbox serves.

Run it when the sandbox is to serve another field:
`python -m tests.support.graphql_cut FULL.graphql > bot/sandbox/github/graphql/schema.graphql`.
`KEPT` names the fields; enums, scalars and inputs that they reach come along whole.
"""

import re
import sys
from pathlib import Path

from graphql import DocumentNode, parse, print_ast
from graphql.language import ast

TABLE = """
Query: id node nodes rateLimit repository user viewer
Mutation: addComment addLabelsToLabelable addReaction closePullRequest createCheckRun createCommitOnBranch
  createDeployment createDeploymentStatus createLabel createPullRequest createRef deleteRef dequeuePullRequest
  disablePullRequestAutoMerge enablePullRequestAutoMerge enqueuePullRequest mergePullRequest minimizeComment
  removeLabelsFromLabelable removeReaction reopenPullRequest revertPullRequest updateCheckRun updateIssueComment updatePullRequest
  updateRef updateRefs
Actor: login url
Node: id
GitObject: id oid
Labelable: labels
Comment: author body createdAt id updatedAt viewerDidAuthor lastEditedAt
Minimizable: isMinimized minimizedReason
User: databaseId id login name url
Bot: databaseId id login url
Organization: databaseId id login name url
App: databaseId id slug name
Repository: id databaseId name nameWithOwner isPrivate isArchived url owner defaultBranchRef object ref refs label
  labels pullRequest pullRequests collaborators viewerPermission autoMergeAllowed deleteBranchOnMerge
  mergeCommitAllowed squashMergeAllowed rebaseMergeAllowed
RepositoryOwner: id login url
Ref: id name prefix target refUpdateRule rules
RefUpdateRule: allowsDeletions allowsForcePushes blocksCreations pattern requiredApprovingReviewCount
  requiredStatusCheckContexts requiresCodeOwnerReviews requiresConversationResolution requiresLinearHistory
  requiresSignatures viewerAllowedToDismissReviews viewerCanPush
RepositoryRule: id parameters type
RepositoryRuleConnection: nodes pageInfo totalCount
RuleParameters:
RequiredStatusChecksParameters: doNotEnforceOnCreate requiredStatusChecks strictRequiredStatusChecksPolicy
PullRequestParameters: allowedMergeMethods dismissStaleReviewsOnPush requireCodeOwnerReview requireLastPushApproval
  requiredApprovingReviewCount requiredReviewThreadResolution
StatusCheckConfiguration: context integrationId
MergeQueueEntry: baseCommit enqueuedAt enqueuer headCommit id position pullRequest state
RefConnection: nodes pageInfo totalCount
Blob: byteSize id isBinary oid text
Tree: id oid
Commit: id oid abbreviatedOid message messageHeadline committedDate authoredDate author committer parents
  statusCheckRollup status signature url changedFilesIfAvailable
CommitConnection: nodes totalCount
GitActor: date email name user
GitSignature: isValid state wasSignedByGitHub
GpgSignature: isValid state wasSignedByGitHub
Status: contexts id state
StatusContext: context createdAt creator description id isRequired state targetUrl
StatusCheckRollup: contexts id state
StatusCheckRollupContext:
StatusCheckRollupContextConnection: nodes pageInfo totalCount
CheckRun: checkSuite completedAt conclusion databaseId detailsUrl externalId id isRequired name startedAt status
  summary text title url
CheckSuite: app conclusion databaseId id status
PullRequest: id databaseId fullDatabaseId number title body url state isDraft author authorAssociation createdAt
  updatedAt closed closedAt merged mergedAt mergedBy mergeCommit baseRef baseRefName baseRefOid headRef headRefName
  headRefOid mergeable mergeStateStatus reviewDecision isInMergeQueue mergeQueueEntry autoMergeRequest labels comments
  reviews latestOpinionatedReviews latestReviews timelineItems commits additions deletions changedFiles repository
  viewerDidAuthor lastEditedAt isCrossRepository maintainerCanModify
PullRequestConnection: nodes pageInfo totalCount
PullRequestCommit: commit id
PullRequestCommitConnection: nodes pageInfo totalCount
PullRequestReview: isMinimized minimizedReason author body commit createdAt databaseId fullDatabaseId id state
  submittedAt updatedAt viewerDidAuthor lastEditedAt authorAssociation
PullRequestReviewConnection: nodes pageInfo totalCount
PullRequestTimelineItems:
PullRequestTimelineItemsConnection: nodes pageInfo totalCount filteredCount
LabeledEvent: actor createdAt id label
UnlabeledEvent: actor createdAt id label
ClosedEvent: actor createdAt id
ReopenedEvent: actor createdAt id
MergedEvent: actor createdAt id commit
AutoMergeRequest: enabledAt enabledBy mergeMethod commitHeadline commitBody
Issue: author id number title body url createdAt updatedAt lastEditedAt viewerDidAuthor labels
IssueComment: author authorAssociation body createdAt databaseId fullDatabaseId id isMinimized lastEditedAt
  minimizedReason updatedAt url viewerDidAuthor
IssueCommentConnection: nodes pageInfo totalCount
IssueCommentEdge: node cursor
Label: color description id name
LabelConnection: nodes pageInfo totalCount
Reaction: content createdAt id user databaseId
Deployment: commitOid createdAt databaseId environment id latestStatus state
DeploymentStatus: createdAt description environmentUrl id logUrl state
RepositoryCollaboratorConnection: edges nodes totalCount
RepositoryCollaboratorEdge: node permission
PageInfo: endCursor hasNextPage hasPreviousPage startCursor
RateLimit: cost limit nodeCount remaining resetAt used
"""
KEPT = dict(re.findall(r"(?m)^(\w+):((?:.*\n)(?:  .*\n)*)", TABLE))


def named(node: ast.TypeNode) -> str:
    """The name inside lists and non-nulls."""
    while not isinstance(node, ast.NamedTypeNode):
        node = node.type  # type: ignore[attr-defined]
    return node.name.value


class Cutter:
    """Walks from the kept fields to every type that they need."""

    def __init__(self, document: DocumentNode) -> None:
        self.known = {node.name.value: node for node in document.definitions if hasattr(node, "name")}
        self.cut: dict[str, str] = {}
        self.waiting = ["Query", "Mutation", *KEPT]

    def run(self) -> str:
        """The cut as SDL, sorted by name."""
        while self.waiting:
            name = self.waiting.pop()
            if name in self.cut or name not in self.known:
                continue
            self.cut[name] = ""
            self.cut[name] = self.one(name)
        return "\n".join(text for _, text in sorted(self.cut.items()))

    def one(self, name: str) -> str:
        """One definition."""
        node = self.known[name]
        match node:
            case ast.UnionTypeDefinitionNode():
                members = [item.name.value for item in node.types or () if item.name.value in KEPT]
                return f"union {name} = {' | '.join(members)}\n"
            case ast.InputObjectTypeDefinitionNode():
                return f"input {name} {{\n{self.fields(node.fields, None)}}}\n"
            case ast.EnumTypeDefinitionNode():
                return f"enum {name} {{\n{''.join(f'  {value.name.value}{chr(10)}' for value in node.values)}}}\n"
            case ast.ScalarTypeDefinitionNode():
                return f"scalar {name}\n"
            case ast.ObjectTypeDefinitionNode() | ast.InterfaceTypeDefinitionNode():
                wanted = KEPT.get(name)
                if wanted is None and not name.endswith("Payload"):
                    raise SystemExit(f"{name} is reached, but KEPT does not say which of its fields are wanted")
                shelves = [item.name.value for item in node.interfaces or () if item.name.value in KEPT]
                kind = "interface" if isinstance(node, ast.InterfaceTypeDefinitionNode) else "type"
                implements = f" implements {' & '.join(shelves)}" if shelves else ""
                return f"{kind} {name}{implements} {{\n{self.fields(node.fields, wanted)}}}\n"
            case other:
                raise SystemExit(f"no rule for {other.kind}")

    def fields(self, fields: tuple, wanted: str | None) -> str:  # type: ignore[type-arg]
        """The wanted fields (None: all that lead to something kept)."""
        lines = []
        for field in fields or ():
            target = named(field.type)
            node = self.known.get(target)
            composite = isinstance(node, (ast.ObjectTypeDefinitionNode, ast.InterfaceTypeDefinitionNode, ast.UnionTypeDefinitionNode))
            if wanted is not None and field.name.value not in wanted.split():
                continue
            if wanted is None and composite and target not in KEPT:
                continue
            arguments = ""
            if getattr(field, "arguments", None):
                shown = []
                for item in field.arguments:
                    self.waiting.append(named(item.type))
                    default = f" = {print_ast(item.default_value)}" if item.default_value else ""
                    shown.append(f"{item.name.value}: {print_ast(item.type)}{default}")
                arguments = f"({', '.join(shown)})"
            default = f" = {print_ast(field.default_value)}" if getattr(field, "default_value", None) else ""
            self.waiting.append(target)
            lines.append(f"  {field.name.value}{arguments}: {print_ast(field.type)}{default}\n")
        return "".join(lines)


if __name__ == "__main__":
    print(Cutter(parse(Path(sys.argv[1]).read_text(encoding="utf-8"), no_location=True)).run())

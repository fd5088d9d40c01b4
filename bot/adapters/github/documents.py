"""The GraphQL documents that are sent to GitHub. Each is valid against GitHub's own schema (npm `@octokit/graphql-schema`).

Identifiers come as `fullDatabaseId` (64 bits): `databaseId` of comments and reviews no longer fits GraphQL's Int.
"""

from collections.abc import Sequence

PAGE = 50

_ACTOR = "__typename login ... on User { databaseId } ... on Bot { databaseId }"
_COMMENT = f"id fullDatabaseId body createdAt lastEditedAt viewerDidAuthor isMinimized author {{ {_ACTOR} }}"
_REVIEW = f"fullDatabaseId state body submittedAt author {{ {_ACTOR} }} commit {{ oid }}"
_CONTEXT = """__typename
    ... on StatusContext { context state createdAt targetUrl creator { login } }
    ... on CheckRun { id name status conclusion startedAt completedAt detailsUrl checkSuite { app { databaseId slug } } }"""

PULL = f"""
fragment Pull on PullRequest {{
  id number url title body state isCrossRepository headRefName headRefOid baseRefName baseRefOid mergeable
  createdAt updatedAt mergedAt closedAt viewerDidAuthor
  author {{ {_ACTOR} }}
  mergedBy {{ {_ACTOR} }}
  mergeCommit {{ oid }}
  labels(first: 100) {{ nodes {{ id name }} }}
  timelineItems(last: 100, itemTypes: [LABELED_EVENT, UNLABELED_EVENT]) {{
    nodes {{
      __typename
      ... on LabeledEvent {{ createdAt label {{ name }} actor {{ {_ACTOR} }} }}
      ... on UnlabeledEvent {{ createdAt label {{ name }} actor {{ {_ACTOR} }} }}
    }}
  }}
  comments(last: 100) {{ pageInfo {{ hasPreviousPage startCursor }} nodes {{ {_COMMENT} }} }}
  reviews(last: 100) {{ pageInfo {{ hasPreviousPage startCursor }} nodes {{ {_REVIEW} }} }}
  commits(last: 1) {{ nodes {{ commit {{ oid statusCheckRollup {{
    contexts(first: 100) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {_CONTEXT} }} }}
  }} }} }} }}
}}"""

_RULES = """ref(qualifiedName: $ref) {
    refUpdateRule { requiredStatusCheckContexts }
    rules(first: 100) { nodes { parameters {
      ... on RequiredStatusChecksParameters { requiredStatusChecks { context integrationId } }
    } } }
  }"""


def pulls(numbers: Sequence[int]) -> str:
    """All open pull requests onto a branch, and some by number in any state."""
    named = "\n".join(f"  p{number}: pullRequest(number: {number}) {{ ...Pull }}" for number in numbers)
    return f"""query Pulls($owner: String!, $name: String!, $base: String!, $ref: String!, $first: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    id
    labels(first: 100) {{ nodes {{ id name }} }}
    {_RULES}
    pullRequests(
      states: OPEN, baseRefName: $base, first: $first, after: $after, orderBy: {{field: CREATED_AT, direction: ASC}}
    ) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ ...Pull }} }}
{named}
  }}
  rateLimit {{ cost remaining resetAt }}
}}{PULL}"""


FIND = f"""query Find($owner: String!, $name: String!, $branch: String!) {{
  repository(owner: $owner, name: $name) {{
    id
    pullRequests(headRefName: $branch, last: 5, orderBy: {{field: CREATED_AT, direction: ASC}}) {{ nodes {{ ...Pull }} }}
  }}
}}{PULL}"""

RULES = f"""query Rules($owner: String!, $name: String!, $ref: String!) {{ repository(owner: $owner, name: $name) {{ id {_RULES} }} }}"""

REPOSITORY = """query Repository($owner: String!, $name: String!) { repository(owner: $owner, name: $name) { id } }"""

OLDER_COMMENTS = f"""query OlderComments($id: ID!, $before: String) {{ node(id: $id) {{ ... on PullRequest {{
  comments(last: 100, before: $before) {{ pageInfo {{ hasPreviousPage startCursor }} nodes {{ {_COMMENT} }} }}
}} }} }}"""

OLDER_REVIEWS = f"""query OlderReviews($id: ID!, $before: String) {{ node(id: $id) {{ ... on PullRequest {{
  reviews(last: 100, before: $before) {{ pageInfo {{ hasPreviousPage startCursor }} nodes {{ {_REVIEW} }} }}
}} }} }}"""

MORE_CHECKS = f"""query MoreChecks($id: ID!, $after: String) {{ node(id: $id) {{ ... on PullRequest {{
  commits(last: 1) {{ nodes {{ commit {{ oid statusCheckRollup {{
    contexts(first: 100, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {_CONTEXT} }} }}
  }} }} }} }}
}} }} }}"""

FACE = f"""query Face($id: ID!) {{ node(id: $id) {{ ... on PullRequest {{
  headRefOid
  repository {{ id labels(first: 100) {{ nodes {{ id name }} }} }}
  labels(first: 100) {{ nodes {{ id name }} }}
  comments(first: 100) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {_COMMENT} }} }}
  commits(last: 1) {{ nodes {{ commit {{ oid statusCheckRollup {{
    contexts(first: 100) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {_CONTEXT} }} }}
  }} }} }} }}
}} }} }}"""

COMMENTS = f"""query Comments($id: ID!, $after: String) {{ node(id: $id) {{ ... on PullRequest {{
  comments(first: 100, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {_COMMENT} }} }}
}} }} }}"""

THREAD = f"""query Thread($owner: String!, $name: String!, $number: Int!, $before: String) {{
  repository(owner: $owner, name: $name) {{ pullRequest(number: $number) {{
    id comments(last: 100, before: $before) {{ pageInfo {{ hasPreviousPage startCursor }} nodes {{ {_COMMENT} }} }}
  }} }}
}}"""

AUTO_MERGE = """mutation AutoMerge($input: EnablePullRequestAutoMergeInput!) {
  enablePullRequestAutoMerge(input: $input) { clientMutationId }
}"""

ENQUEUE = """mutation Enqueue($input: EnqueuePullRequestInput!) { enqueuePullRequest(input: $input) { clientMutationId } }"""

# Answers of the mutations that one document may hold side by side; the key is the field's name.
MUTATIONS = {
    "addComment": ("AddCommentInput", "commentEdge { node { id } }"),
    "updateIssueComment": ("UpdateIssueCommentInput", "issueComment { id }"),
    "createCheckRun": ("CreateCheckRunInput", "checkRun { id }"),
    "updateCheckRun": ("UpdateCheckRunInput", "checkRun { id }"),
    "addLabelsToLabelable": ("AddLabelsToLabelableInput", "clientMutationId"),
    "removeLabelsFromLabelable": ("RemoveLabelsFromLabelableInput", "clientMutationId"),
    "createRef": ("CreateRefInput", "ref { id }"),
    "createCommitOnBranch": ("CreateCommitOnBranchInput", "commit { oid }"),
    "createPullRequest": ("CreatePullRequestInput", "pullRequest { id number url }"),
}


def mutation(title: str, fields: Sequence[str]) -> str:
    """One document with these mutations, run one after the other; field and variable bear the mutation's own name."""
    head = ", ".join(f"${field}: {MUTATIONS[field][0]}!" for field in fields)
    body = "\n".join(f"  {field}(input: ${field}) {{ {MUTATIONS[field][1]} }}" for field in fields)
    return f"mutation {title}({head}) {{\n{body}\n}}"


REACTIONS = {"+1": "THUMBS_UP", "rocket": "ROCKET", "confused": "CONFUSED", "eyes": "EYES"}


def settling(node_id: str, reaction: str, *, instead_of: str, hide: Sequence[str]) -> tuple[str, dict[str, str]]:
    """One document, and its variables: a reaction in the place of another, and comments folded as resolved."""
    heads: list[str] = []
    fields: list[str] = []
    variables: dict[str, str] = {}
    if node_id and reaction:
        heads += ["$node: ID!", "$now: ReactionContent!", "$before: ReactionContent!"]
        fields += ["addReaction(input: {subjectId: $node, content: $now}) { clientMutationId }"]
        fields += ["removeReaction(input: {subjectId: $node, content: $before}) { clientMutationId }"]
        variables |= {"node": node_id, "now": REACTIONS[reaction], "before": REACTIONS[instead_of]}
    for place, comment in enumerate(hide):
        heads.append(f"$hide{place}: ID!")
        fields.append(f"hide{place}: minimizeComment(input: {{subjectId: $hide{place}, classifier: RESOLVED}}) {{ clientMutationId }}")
        variables[f"hide{place}"] = comment
    return f"mutation Settle({', '.join(heads)}) {{ {' '.join(fields)} }}", variables

"""The GraphQL API: GitHub's own schema (a cut of it, `schema.graphql`) over the same world as REST."""

# The Job that prepares an existing database keeps the operator's login there, and nothing else.
path "platform/data/backends/palisade-db" {
  capabilities = ["create", "update", "read"]
}

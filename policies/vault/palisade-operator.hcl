# The operator's own memory: intents, sequence numbers and pending values. Nobody else may read it.
path "palisade-state/data/*" {
  capabilities = ["create", "update", "read"]
}

# Metadata is read for its version counter and never deleted: a deleted path counts from 1 again,
# and then an old check-and-set number would fit once more.
path "palisade-state/metadata/*" {
  capabilities = ["create", "update", "read", "list"]
}

path "palisade-state/destroy/*" {
  capabilities = ["create", "update"]
}

# Credentials of the backends it rotates, written by the platform team, read only.
path "platform/data/backends/*" {
  capabilities = ["read"]
}

# Signs checkpoints with a key that cannot leave the store.
path "transit/sign/audit-checkpoint" {
  capabilities = ["update"]
}

path "transit/sign/audit-checkpoint/*" {
  capabilities = ["update"]
}

path "transit/keys/audit-checkpoint" {
  capabilities = ["read"]
}

# A newer version of the key. The sealer hands over to it by a record that both have signed; the earlier ones stay.
path "transit/keys/audit-checkpoint/rotate" {
  capabilities = ["update"]
}

# The keys that authenticate rows and the head of the log. Whoever of gateway and sealer starts first
# creates them with cas=0, so create without update is enough.
path "platform/data/gateway/audit-mac" {
  capabilities = ["create", "read"]
}

path "platform/data/gateway/head-mac" {
  capabilities = ["create", "read"]
}

# The newest checkpoint, outside the database it speaks about.
path "platform/data/audit/checkpoint" {
  capabilities = ["create", "update", "read"]
}

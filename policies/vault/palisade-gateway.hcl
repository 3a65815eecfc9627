# The gateway's own keys. They are created once with cas=0, hence create without update.
path "platform/data/gateway/*" {
  capabilities = ["create", "read"]
}

path "platform/metadata/gateway/*" {
  capabilities = ["read"]
}

# One transit key per tenant and one per user. Keys can be made and used, never exported.
path "transit/keys/tenant-*" {
  capabilities = ["create", "update", "read"]
  denied_parameters = {
    "exportable"             = []
    "allow_plaintext_backup" = []
    "deletion_allowed"       = []
  }
}

path "transit/keys/user-*" {
  capabilities = ["create", "update", "read"]
  denied_parameters = {
    "exportable"             = []
    "allow_plaintext_backup" = []
    "deletion_allowed"       = []
  }
}

path "transit/encrypt/tenant-*" {
  capabilities = ["update"]
}

path "transit/decrypt/tenant-*" {
  capabilities = ["update"]
}

path "transit/rewrap/tenant-*" {
  capabilities = ["update"]
}

path "transit/encrypt/user-*" {
  capabilities = ["update"]
}

path "transit/decrypt/user-*" {
  capabilities = ["update"]
}

path "transit/rewrap/user-*" {
  capabilities = ["update"]
}

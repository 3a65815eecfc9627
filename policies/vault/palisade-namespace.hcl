# Template: {namespace} is replaced when a namespace is opened for rotations. The operator logs in once per
# namespace and holds this policy alone, so a forged path fails here and not in a check of ours.
path "apps/data/{namespace}/*" {
  capabilities = ["create", "update", "read"]
}

path "apps/metadata/{namespace}/*" {
  capabilities = ["create", "update", "read", "list"]
}

path "apps/destroy/{namespace}/*" {
  capabilities = ["create", "update"]
}

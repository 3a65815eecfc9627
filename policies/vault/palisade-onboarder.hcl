# Opens the store for one more namespace, and can do nothing else: the role it writes is pinned to the
# operator's account and to a policy of the family it may write.
path "sys/policies/acl/palisade-ns-*" {
  capabilities = ["create", "update", "read"]
}

path "auth/kubernetes/role/palisade-ns-*" {
  capabilities = ["create", "update", "read"]
  allowed_parameters = {
    "bound_service_account_names"      = ["operator"]
    "bound_service_account_namespaces" = ["palisade-system"]
    "audience"                         = ["openbao"]
    "token_policies"                   = ["palisade-ns-*"]
    "token_no_default_policy"          = []
    "token_ttl"                        = []
    "token_max_ttl"                    = []
  }
  # The glob above would let a second policy through behind a comma.
  denied_parameters = {
    "token_policies" = ["*,*"]
  }
}

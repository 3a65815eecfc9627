# Opens the store for one more namespace, and can do nothing else: the role it writes is pinned to the
# operator's account and to a policy of the family it may write, and the policy to one statement about one
# folder of apps. A pattern matches with "*" at its ends alone; so the text has to begin as ours do, and
# whatever could make more of it is denied by what it would have to contain.
path "sys/policies/acl/palisade-ns-*" {
  capabilities = ["create", "update", "read"]
  allowed_parameters = {
    "policy" = ["path \"apps/+/*"]
  }
  denied_parameters = {
    "policy" = [
      # a second statement: one line, and no word "path" but the first
      "*\n*", "*\r*", "*\t*", "* path*", "*,path*", "*\"path*", "*]path*", "*}path*", "**/path*",
      # anything behind the brace that closes it: a word may follow a number there without a space
      "*} *", "*},*", "*}/*", "*}#*", "*}\"*", "*}_*", "*}{*", "*}}*", "*}[*", "*}]*", "*}<*", "*}-*", "*}.*",
      "*}=*",
      "*}a*", "*}b*", "*}c*", "*}d*", "*}e*", "*}f*", "*}g*", "*}h*", "*}i*", "*}j*", "*}k*", "*}l*", "*}m*",
      "*}n*", "*}o*", "*}p*", "*}q*", "*}r*", "*}s*", "*}t*", "*}u*", "*}v*", "*}w*", "*}x*", "*}y*", "*}z*",
      "*}A*", "*}B*", "*}C*", "*}D*", "*}E*", "*}F*", "*}G*", "*}H*", "*}I*", "*}J*", "*}K*", "*}L*", "*}M*",
      "*}N*", "*}O*", "*}P*", "*}Q*", "*}R*", "*}S*", "*}T*", "*}U*", "*}V*", "*}W*", "*}X*", "*}Y*", "*}Z*",
      "*}0*", "*}1*", "*}2*", "*}3*", "*}4*", "*}5*", "*}6*", "*}7*", "*}8*", "*}9*",
      # texts that mean others: escapes and templates
      "*\\*", "*{{*", "*$*",
      # every folder, or each that begins like this
      "*+/+*", "*+/**", "*a**", "*b**", "*c**", "*d**", "*e**", "*f**", "*g**", "*h**", "*i**", "*j**",
      "*k**", "*l**", "*m**", "*n**", "*o**", "*p**", "*q**", "*r**", "*s**", "*t**", "*u**", "*v**", "*w**",
      "*x**", "*y**", "*z**", "*0**", "*1**", "*2**", "*3**", "*4**", "*5**", "*6**", "*7**", "*8**", "*9**",
      "*-**",
      # rights that nobody needs there
      "*\"delete\"*", "*\"sudo\"*", "*\"patch\"*", "*\"write\"*",
    ]
  }
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

# Template: {namespace} is replaced when a namespace is opened for rotations. The operator logs in once per
# namespace and holds this policy alone, so a forged path fails here and not in a check of ours.
# One statement in one line, for that is all that the onboarder's own policy lets through; "+" is one of data,
# metadata and destroy. Nothing may be deleted: a deleted path counts from 1, and an old number would fit again.
path "apps/+/{namespace}/*" { capabilities = ["create", "update", "read", "list"] }

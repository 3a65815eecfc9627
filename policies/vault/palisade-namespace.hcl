# Template: {namespace} is replaced when a namespace is opened for rotations. The operator logs in once per
# namespace and holds this policy alone, so a forged path fails here and not in a check of ours.
# One statement in one line, for that is all that the onboarder's own policy lets through, so "+" is every part of
# the store: data, metadata and destroy, which are needed, and delete and undelete, which only hide a version and show
# it again. No path may be deleted with its count: it would count from 1, and an old number would fit again.
path "apps/+/{namespace}/*" { capabilities = ["create", "update", "read", "list"] }

/** Labels, annotations and finalizers of ours. They are part of the API: a rename is a breaking change. */
export const LABEL_ROTATION = 'palisade.dev/rotation'
/** On published Secrets: the step that wrote them. Admission lets it only grow. */
export const ANNOTATION_SEQ = 'palisade.dev/seq'
/** Asks for a rotation; the token is echoed in status.lastHandledRotateNow. */
export const ANNOTATION_ROTATE_NOW = 'palisade.dev/rotate-now'
/** The current value has leaked, and why: no overlap, sessions are ended. */
export const ANNOTATION_LEAKED = 'palisade.dev/leaked'
/** Takes over the claim of the named uid, after a restore. */
export const ANNOTATION_ADOPT = 'palisade.dev/adopt'
/** After a restore: goes on from beyond the two numbers that the message of StaleFence names. */
export const ANNOTATION_RESYNC_FENCE = 'palisade.dev/resync-fence'
/** Gives up what a release still waits for; the value is the rotation id. */
export const ANNOTATION_ABANDON = 'palisade.dev/abandon'
/** Asks for a revocation of the grant; the token is echoed in status.lastHandledRevoke. */
export const ANNOTATION_REVOKE = 'palisade.dev/revoke'
/** Who asked for a grant (user name, uid, groups), stamped at admission; nobody else may write it. */
export const ANNOTATION_REQUESTED_BY = 'palisade.dev/requested-by'
/** On Pods that reload by themselves: the version that the process uses, per Secret. */
export const ANNOTATION_ACKNOWLEDGED_PREFIX = 'acknowledged.palisade.dev/'
/** The admission policy that fences Secrets; its name stands in the API server's refusals. */
export const SECRETS_POLICY = 'palisade-operator-secrets'
/** How its refusal begins when the stored Secret carries a newer number. */
export const STALE_FENCE = 'stale fence:'
export const FINALIZER = 'palisade.dev/release'

/** On Pod templates: the version of a Secret that the Pods were started for. */
export const templateAnnotation = (secret: string) => `palisade.dev/${secret}`

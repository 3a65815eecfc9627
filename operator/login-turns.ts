const MOST = 50_000

/** True the first time for a value and then once per interval: a login in every pass would be a load by itself. */
export function everyNowAndThen(
  intervalMs: number,
  now: () => number = () => performance.now(),
): (rotationId: string) => boolean {
  const tried = new Map<string, number>()
  return (rotationId) => {
    const at = now()
    const last = tried.get(rotationId)
    if (last !== undefined && at - last < intervalMs) return false
    tried.delete(rotationId)
    tried.set(rotationId, at)
    if (tried.size > MOST) tried.delete(tried.keys().next().value ?? '')
    return true
  }
}

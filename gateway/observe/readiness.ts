import type { Health } from '#api/rest/health'

export type Check = () => Promise<{ readonly ok: boolean; readonly reason: string }>

export interface NamedCheck {
  readonly name: string
  readonly check: Check
  /** A part without which requests are still served, worse; its failure is shown and does not take us away. */
  readonly optional?: boolean
}

const CHECK_TIMEOUT_MS = 2_000
const STARTING = { ok: false, reason: 'the parts are not there yet, see the log' }
const STARTUP: readonly NamedCheck[] = [{ name: 'startup', check: () => Promise.resolve(STARTING) }]

/** Whether requests can be served, and why not. */
export class Readiness {
  #checks = STARTUP
  #draining = false
  readonly #onCheck: (name: string, ok: boolean) => void

  constructor(onCheck: (name: string, ok: boolean) => void = () => undefined) {
    this.#onCheck = onCheck
  }

  /** Until this is called the answer is no: the parts are not there yet. */
  started(checks: readonly NamedCheck[]): void {
    this.#checks = checks
  }

  get draining(): boolean {
    return this.#draining
  }

  /** From now on not ready, whatever the checks say: the first step of going away. */
  drain(): void {
    this.#draining = true
  }

  async read(): Promise<Health> {
    const wanted = this.#checks
    const checks = await Promise.all(wanted.map((one) => run(one)))
    if (wanted !== STARTUP) for (const { name, ok } of checks) this.#onCheck(name, ok)
    const required = checks.filter((_, i) => wanted[i]?.optional !== true)
    const ok = !this.#draining && required.every((check) => check.ok)
    const all = this.#draining
      ? [...checks, { name: 'lifecycle', ok: false, reason: 'shutting down' }]
      : checks
    return { ok, checks: all }
  }
}

async function run({ name, check }: NamedCheck) {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<{ ok: boolean; reason: string }>((resolve) => {
    timer = setTimeout(
      () => resolve({ ok: false, reason: `no answer within ${CHECK_TIMEOUT_MS} ms` }),
      CHECK_TIMEOUT_MS,
    )
  })
  try {
    const { ok, reason } = await Promise.race([check(), late])
    return { name, ok, reason: ok ? '' : reason }
  } catch {
    return { name, ok: false, reason: 'the check failed' }
  } finally {
    clearTimeout(timer)
  }
}

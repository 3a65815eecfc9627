import { at, isMap, text, type JsonMap } from '../values.ts'

export interface Cause {
  readonly reason: string
  readonly field: string
  readonly message: string
}

/** An answer that is not a success; the body is a metav1.Status. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly reason: string
  readonly causes: readonly Cause[]

  constructor(status: number, body: JsonMap) {
    super(text(body.message) ?? `the API server answered ${status}`)
    this.status = status
    this.reason = text(body.reason) ?? ''
    const causes = at(body, ['details', 'causes'])
    this.causes = (Array.isArray(causes) ? causes : []).filter(isMap).map((cause) => ({
      reason: text(cause.reason) ?? '',
      field: text(cause.field) ?? '',
      message: text(cause.message) ?? '',
    }))
  }

  /** Another manager holds a field that we want to set otherwise. */
  get isConflict(): boolean {
    return this.status === 409 && this.causes.some((one) => one.reason === 'FieldManagerConflict')
  }

  /** Fields whose change the API server refuses for good, so that only a new object can have them. */
  get immutableFields(): string[] {
    if (this.status !== 422) return []
    const final = /immutable|may not be changed|updates to statefulset spec|cannot be changed/i
    return this.causes.filter((one) => final.test(one.message)).map((one) => one.field)
  }
}

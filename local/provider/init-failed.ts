import { Metadata, status as codes, type ServerErrorResponse } from '@grpc/grpc-js'
import { any, provider, status } from './proto.ts'
import { toStruct } from './wire.ts'
import type { JsonMap } from './values.ts'

/** The object exists but did not become ready: the engine records it and tries an update next time. */
export class InitFailed extends Error {
  override readonly name = 'InitFailed'
  readonly id: string
  readonly state: JsonMap
  readonly reasons: readonly string[]

  constructor(made: { id: string; state: JsonMap }, reasons: readonly string[]) {
    super(reasons.join('; '))
    this.id = made.id
    this.state = made.state
    this.reasons = reasons
  }

  /** gRPC carries the detail in a header that the Go side reads as google.rpc.Status. */
  toServiceError(): Partial<ServerErrorResponse> {
    const detail = new provider.ErrorResourceInitFailed()
    detail.setId(this.id)
    detail.setProperties(toStruct(this.state))
    detail.setReasonsList([...this.reasons])
    const packed = new any.Any()
    packed.pack(detail.serializeBinary(), 'pulumirpc.ErrorResourceInitFailed')
    const answer = new status.Status()
    answer.setCode(codes.UNKNOWN)
    answer.setMessage(this.message)
    answer.addDetails(packed)
    const metadata = new Metadata()
    metadata.add('grpc-status-details-bin', Buffer.from(answer.serializeBinary()))
    return { code: codes.UNKNOWN, details: this.message, metadata }
  }
}

import { credentials } from '@grpc/grpc-js'
import { engine, engineService } from './proto.ts'

export type Severity = 'info' | 'warning'

/** Lines beside a resource while the engine works on it. A lost line is no failure. */
export class EngineLog {
  #client: InstanceType<typeof engineService.EngineClient> | undefined

  connect(address: string): void {
    this.#client?.close()
    this.#client = new engineService.EngineClient(address, credentials.createInsecure())
  }

  /** Progress: shown while it is the newest line, not kept. */
  progress(urn: string, message: string): void {
    this.#send(urn, message, 'info', true)
  }

  warn(urn: string, message: string): void {
    this.#send(urn, message, 'warning', false)
  }

  #send(urn: string, message: string, severity: Severity, ephemeral: boolean): void {
    const line = new engine.LogRequest()
    line.setUrn(urn)
    line.setMessage(message)
    line.setSeverity(severity === 'info' ? engine.LogSeverity.INFO : engine.LogSeverity.WARNING)
    line.setEphemeral(ephemeral)
    this.#client?.log(line, () => {})
  }
}

import { pino, stdSerializers, type Logger } from 'pino'
import { redact } from '#core/redact'

export interface LogOptions {
  readonly level: string
  readonly service: string
  /** Where lines go; standard output when nothing is said. */
  readonly destination?: { write(line: string): void }
}

const SECRET_PATHS = [
  '*.password',
  '*.value',
  '*.authorization',
  '*.headers.authorization',
  '*.headers.cookie',
  'authorization',
  'password',
  'value',
  'token',
]

/** Constant sentences with keys. Requests are never logged whole: their target may carry what must not be kept. */
export function makeLog({ level, service, destination }: LogOptions): Logger {
  const options = {
    level,
    base: { service },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
    serializers: {
      err: (error: Error) => redact(stdSerializers.err(error)),
      error: (error: unknown) => redact(error),
      req: (request: { id?: string; method?: string }) => ({
        id: request.id,
        method: request.method,
      }),
    },
  }
  return destination ? pino(options, destination) : pino(options)
}

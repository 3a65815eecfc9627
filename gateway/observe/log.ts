import type { FastifyBaseLogger } from 'fastify'
import { pino, stdSerializers, type Logger } from 'pino'
import { PalisadeError } from '#core/problem'
import { redact } from '#core/redact'

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LEVELS)[number]

/** A level that does not exist would otherwise be an error of the logger, with a stack and without a way out. */
export function readLogLevel(name: string, env: Readonly<Record<string, string | undefined>>) {
  const text = env[name] ?? 'info'
  const level = LEVELS.find((one) => one === text)
  if (level) return level
  throw new PalisadeError('ERR_CONFIG_INVALID', `${name} is "${text}", which is no level`, {
    remedy: `set it to one of ${LEVELS.join(', ')}, or leave it away for info`,
  })
}

export interface LogOptions {
  readonly level: LogLevel
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

/** Lines that are evidence and not chatter: written whatever the level is. */
export const evidenceLog = (log: Pick<FastifyBaseLogger, 'child'>) =>
  log.child({}, { level: 'info' })

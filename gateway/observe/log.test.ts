import { describe, expect, it } from 'vitest'
import type { AuditRow } from '../ports/audit-records.ts'
import { makeLog, readLogLevel, type LogLevel } from './log.ts'
import { witness } from './witness.ts'

const row = { id: '0190aaaa-0000-7000-8000-000000000001', leaf: Buffer.alloc(32, 7) } as const

describe('witness', () => {
  it.each(['trace', 'info', 'warn', 'error', 'fatal', 'silent'] satisfies LogLevel[])(
    'prints id and leaf hash of a committed record at level %s',
    (level) => {
      const lines: string[] = []
      const destination = { write: (line: string) => void lines.push(line) }
      const log = makeLog({ level, service: 'test', destination })
      witness(log)(row as unknown as AuditRow)
      expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
        { audit: row.id, leaf: row.leaf.toString('hex') },
      ])
    },
  )
})

describe('readLogLevel', () => {
  it('is info when nothing is said', () => {
    expect(readLogLevel('LOG_LEVEL', {})).toBe('info')
  })

  it.each(['', 'verbose', 'WARN', 'info '])('refuses "%s" and names the levels', (text) => {
    expect(() => readLogLevel('LOG_LEVEL', { LOG_LEVEL: text })).toThrow(
      /ERR_CONFIG_INVALID: LOG_LEVEL is ".*trace, debug, info, warn, error, fatal, silent/s,
    )
  })
})

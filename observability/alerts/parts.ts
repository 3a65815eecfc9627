import type { Alert } from '../alert.ts'
import { fresh } from '../fresh.ts'

/** What the gateway rests on, as its readiness probe finds it. The database has alerts of its own. */
export const PARTS: readonly Alert[] = [
  {
    name: 'SecretStoreDown',
    expr: `max(${fresh('palisade_check_ok{job="gateway",check="keys"}')}) == 0`,
    for: '1m',
    severity: 'page',
    summary: 'No gateway reaches the secret store.',
    description: 'It is sealed or away: no gateway is ready, so requests fail, and rotations wait.',
  },
  {
    name: 'RedisDown',
    expr: 'min(palisade_check_ok{job="gateway",check="redis"}) == 0',
    for: '5m',
    severity: 'ticket',
    summary: 'A gateway does not reach Redis.',
    description:
      'It keeps its share of each limit by itself, so some callers are refused earlier than they should be.',
  },
]

import { createHash } from 'node:crypto'
import { MERGE_PATCH, type ApiClient } from './api-client.ts'
import { isNotFound } from './api-error.ts'
import type { KubeObject, Logger } from './types.ts'

export interface EventNote {
  readonly type: 'Normal' | 'Warning'
  /** One CamelCase word of a closed list. */
  readonly reason: string
  /** What the operator was doing: `Rotate`, `Retire`, `Claim`. */
  readonly action: string
  readonly note: string
}

export interface EventRecorder {
  record(about: KubeObject, event: EventNote): void
}

export interface RecorderOptions {
  readonly client: ApiClient
  readonly controller: string
  readonly instance: string
  readonly log: Logger
  readonly now?: () => Date
}

interface Series {
  readonly name: string
  count: number
  at: number
}

const AGGREGATE_FOR_MS = 360_000
const MAX_SERIES = 5_000

/** events.k8s.io/v1. The same event about the same object becomes a series instead of a flood. */
export function createEventRecorder(options: RecorderOptions): EventRecorder {
  const series = new Map<string, Series>()
  const now = options.now ?? (() => new Date())

  async function send(about: KubeObject, event: EventNote): Promise<void> {
    const namespace = about.metadata.namespace ?? 'default'
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`
    const id = seriesId(about, event)
    const known = series.get(id)
    const at = now()
    const time = at.toISOString().replace('Z', '000Z')
    if (known && at.getTime() - known.at < AGGREGATE_FOR_MS) {
      known.count += 1
      known.at = at.getTime()
      try {
        await options.client.call('PATCH', `${path}/${known.name}`, {
          contentType: MERGE_PATCH,
          body: { series: { count: known.count, lastObservedTime: time } },
        })
        return
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    }
    const name = `${about.metadata.name}.${id.slice(0, 8)}${at.getTime().toString(16)}`
    series.set(id, { name, count: 1, at: at.getTime() })
    if (series.size > MAX_SERIES) series.delete(series.keys().next().value ?? '')
    await options.client.call('POST', path, {
      body: {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name, namespace },
        eventTime: time,
        reportingController: options.controller,
        reportingInstance: options.instance,
        regarding: {
          apiVersion: about.apiVersion,
          kind: about.kind,
          name: about.metadata.name,
          namespace: about.metadata.namespace,
          uid: about.metadata.uid,
        },
        ...event,
        note: event.note.slice(0, 1024),
      },
    })
  }

  return {
    record(about, event) {
      // An event that cannot be written must never hold up what it tells about.
      send(about, event).catch((error: unknown) => {
        options.log.warn({ err: error, reason: event.reason }, 'Could not write an event')
      })
    },
  }
}

const seriesId = (about: KubeObject, event: EventNote): string =>
  createHash('sha256')
    .update([about.metadata.uid, event.type, event.reason, event.action, event.note].join('\0'))
    .digest('hex')

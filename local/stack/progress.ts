import { stripVTControlCharacters } from 'node:util'
import type { DiagnosticEvent, EngineEvent } from '@pulumi/pulumi/automation/index.js'
import { nameOfUrn, typeOfUrn } from '../provider/kubernetes/object.ts'

export interface Progress {
  readonly kind: 'start' | 'done' | 'failed' | 'note'
  readonly operation: string
  readonly resource: string
  readonly seconds: number
  readonly message?: string
}

const PAST: Readonly<Record<string, string>> = {
  create: 'created',
  update: 'updated',
  delete: 'deleted',
  'create-replacement': 'created (replacement)',
  'delete-replaced': 'deleted (replaced)',
  import: 'imported',
  read: 'read',
  refresh: 'refreshed',
}

// A replacement tells of its deletion and its creation; the step that joins them adds nothing.
const SILENT = new Set(['same', 'replace'])

const labelOf = (urn: string): string =>
  `${typeOfUrn(urn).split(':').at(-1) ?? ''} ${nameOfUrn(urn)}`

// Nothing of an engine's terminal colours reaches a log.
const plain = (message: string): string =>
  stripVTControlCharacters(message.replaceAll(/<\{%[^%]*%\}>/g, '')).trim()

/** Turns the engine's events into one entry per step of a resource, with the time it took. */
export class ProgressReader {
  readonly #started = new Map<string, number>()
  readonly #errors = new Set<string>()
  #changes: Readonly<Record<string, number>> = {}
  readonly #now: () => number
  readonly #tell: (progress: Progress) => void

  constructor(tell: (progress: Progress) => void, now: () => number = () => Date.now()) {
    this.#tell = tell
    this.#now = now
  }

  /** What went wrong, once each; the engine repeats the program's words at the end. */
  get errors(): string[] {
    return [...this.#errors]
  }

  /** Steps by kind, told at the end of a run. */
  get changes(): Readonly<Record<string, number>> {
    return this.#changes
  }

  read(event: EngineEvent): void {
    const { resourcePreEvent, resOutputsEvent, resOpFailedEvent, diagnosticEvent } = event
    if (event.summaryEvent) this.#changes = event.summaryEvent.resourceChanges
    if (resourcePreEvent) this.#start(resourcePreEvent.metadata)
    else if (resOutputsEvent) this.#end('done', resOutputsEvent.metadata)
    else if (resOpFailedEvent) this.#end('failed', resOpFailedEvent.metadata)
    else if (diagnosticEvent) this.#diagnose(diagnosticEvent)
  }

  #diagnose({ urn, message, severity }: DiagnosticEvent): void {
    const told = plain(message)
    if (!told) return
    const label = urn ? labelOf(urn) : ''
    if (severity === 'error') this.#errors.add(label ? `${label}: ${told}` : told)
    if (urn) this.#say('note', '', urn, told)
  }

  #start({ op, urn }: { op: string; urn: string }): void {
    if (SILENT.has(op)) return
    this.#started.set(urn + op, this.#now())
    this.#say('start', op, urn)
  }

  #end(kind: 'done' | 'failed', { op, urn }: { op: string; urn: string }): void {
    if (!SILENT.has(op)) this.#say(kind, op, urn)
  }

  #say(kind: Progress['kind'], operation: string, urn: string, message?: string): void {
    const began = this.#started.get(urn + operation)
    const seconds = began === undefined ? 0 : (this.#now() - began) / 1000
    const told = message === undefined ? {} : { message }
    this.#tell({ kind, operation, resource: labelOf(urn), seconds, ...told })
  }
}

export function formatProgress(progress: Progress): string {
  const { kind, operation, resource, seconds, message = '' } = progress
  switch (kind) {
    case 'start':
      return `  … ${operation} ${resource}`
    case 'done':
      return `  ✓ ${PAST[operation] ?? operation} ${resource} (${seconds.toFixed(1)} s)`
    case 'failed':
      return `  ✗ ${operation} ${resource} failed (${seconds.toFixed(1)} s)`
    case 'note':
      return `    ${resource}: ${message}`
  }
}

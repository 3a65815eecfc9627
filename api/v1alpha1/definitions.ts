import type { TSchema } from 'typebox'
import { McpGrantSpec, McpGrantStatus } from './mcp-grant.ts'
import { GROUP, VERSION } from './object.ts'
import { RotationBackendSpec, RotationBackendStatus } from './rotation-backend.ts'
import { SecretRotationSpec } from './secret-rotation.ts'
import { SecretRotationStatus } from './secret-rotation-status.ts'
import type { Rule } from './schema.ts'

export interface Column {
  readonly name: string
  readonly type: 'string' | 'date' | 'integer'
  readonly jsonPath: string
  readonly description: string
  /** 1: shown with -o wide. */
  readonly priority?: 1
}

/** One resource definition, from which the CRD and the reference page are made. */
export interface Definition {
  readonly kind: string
  readonly plural: string
  readonly shortNames: readonly string[]
  readonly scope: 'Namespaced' | 'Cluster'
  readonly description: string
  readonly spec: TSchema
  readonly status: TSchema
  readonly columns: readonly Column[]
  readonly selectableFields: readonly string[]
  readonly rules: readonly Rule[]
}

const condition = (type: string, field: string) =>
  `.status.conditions[?(@.type=="${type}")].${field}`
const READY: Column = {
  name: 'Ready',
  type: 'string',
  jsonPath: condition('Ready', 'status'),
  description: 'Whether all is well.',
}
const REASON: Column = {
  name: 'Reason',
  type: 'string',
  jsonPath: condition('Ready', 'reason'),
  description: 'Why it is, or is not.',
}
const AGE: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since creation.',
}
const MESSAGE: Column = {
  name: 'Message',
  type: 'string',
  jsonPath: condition('Ready', 'message'),
  description: 'The reason in words.',
  priority: 1,
}

// Names are label values and parts of other names; 52 leaves room for a suffix within 63.
const shortName: Rule = {
  rule: 'self.metadata.name.size() <= 52',
  message: 'metadata.name: at most 52 characters',
}

export const DEFINITIONS: readonly Definition[] = [
  {
    kind: 'SecretRotation',
    plural: 'secretrotations',
    shortNames: ['srot'],
    scope: 'Namespaced',
    description:
      'A credential that is replaced on schedule: made, proven by a login, published, rolled out to its consumers, and retired when they are shown to have switched.',
    spec: SecretRotationSpec,
    status: SecretRotationStatus,
    columns: [
      READY,
      REASON,
      {
        name: 'Strategy',
        type: 'string',
        jsonPath: '.status.strategy',
        description: 'How the old value makes way for the new one.',
      },
      {
        name: 'LastRotation',
        type: 'date',
        jsonPath: '.status.lastRotationTime',
        description: 'Time since the current value was published.',
      },
      {
        name: 'NextRotation',
        // A column of type date shows the time since, and "<invalid>" for what lies ahead.
        type: 'string',
        jsonPath: '.status.nextRotationTime',
        description: 'When the next rotation is due.',
      },
      AGE,
      {
        name: 'Version',
        type: 'integer',
        jsonPath: '.status.version',
        description: 'Number of the published version.',
        priority: 1,
      },
      {
        name: 'Step',
        type: 'string',
        jsonPath: '.status.step',
        description: 'Where the running rotation is.',
        priority: 1,
      },
      {
        name: 'Secret',
        type: 'string',
        jsonPath: '.spec.secret.name',
        description: 'The Secret that consumers read.',
        priority: 1,
      },
      MESSAGE,
    ],
    selectableFields: ['.spec.secret.name', '.spec.store.path'],
    rules: [shortName],
  },
  {
    kind: 'McpGrant',
    plural: 'mcpgrants',
    shortNames: ['mcpg'],
    scope: 'Namespaced',
    description:
      'A request for time-limited use of MCP tools or a stored key. It is approved in the gateway; deleting it revokes the grant.',
    spec: McpGrantSpec,
    status: McpGrantStatus,
    columns: [
      READY,
      REASON,
      {
        name: 'Server',
        type: 'string',
        jsonPath: '.spec.target.server',
        description: 'The MCP server, if any.',
      },
      {
        name: 'Risk',
        type: 'integer',
        jsonPath: '.status.risk.score',
        description: 'Risk score of the request.',
      },
      {
        name: 'Expires',
        type: 'string',
        jsonPath: '.status.expiresAt',
        description: 'When the grant ends.',
      },
      AGE,
      {
        name: 'Used',
        type: 'integer',
        jsonPath: '.status.callsUsed',
        description: 'Calls made so far.',
        priority: 1,
      },
      MESSAGE,
    ],
    selectableFields: ['.spec.target.server', '.spec.target.storedKey'],
    rules: [shortName],
  },
  {
    kind: 'RotationBackend',
    plural: 'rotationbackends',
    shortNames: ['rbk'],
    scope: 'Cluster',
    description:
      'A system whose credentials are rotated, written by the platform team: where it is, how the operator logs in, which namespaces may name it and which names they may use.',
    spec: RotationBackendSpec,
    status: RotationBackendStatus,
    columns: [
      READY,
      REASON,
      { name: 'Kind', type: 'string', jsonPath: '.spec.kind', description: 'What it is.' },
      {
        name: 'Host',
        type: 'string',
        jsonPath: '.spec.endpoint.host',
        description: 'Where it answers.',
      },
      AGE,
      MESSAGE,
    ],
    selectableFields: ['.spec.kind'],
    rules: [shortName],
  },
]

export const crdName = (definition: Definition) => `${definition.plural}.${GROUP}`
export const API_PATH = `/apis/${GROUP}/${VERSION}`

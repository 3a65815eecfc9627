import { Type, type Static } from 'typebox'
import { Conditions } from './conditions.ts'
import type { CustomResource, Manifest } from './object.ts'
import {
  dnsLabel,
  duration,
  exactlyOne,
  fields,
  immutable,
  list,
  nameRef,
  rules,
  time,
  words,
} from './schema.ts'

const name = (description: string) =>
  Type.String({
    description,
    pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*$',
    minLength: 1,
    maxLength: 128,
  })

const Subject = fields(
  {
    serviceAccount: Type.Optional(nameRef('A ServiceAccount of the same namespace.')),
    user: Type.Optional(
      Type.String({
        description: 'Id of a user of the gateway, who must be the requester or confirm there.',
        pattern: '^[A-Za-z0-9-]+$',
        minLength: 1,
        maxLength: 64,
      }),
    ),
  },
  {
    description: 'Who may use the grant: exactly one. It cannot be changed.',
    ...rules(exactlyOne(['serviceAccount', 'user'], 'spec.subject'), immutable('spec.subject')),
  },
)

const Target = fields(
  {
    server: Type.Optional(name('A registered MCP server.')),
    tools: Type.Optional(
      list(name('A tool, by its exact name.'), {
        minItems: 1,
        maxItems: 128,
        description: 'The tools of the server that may be called.',
      }),
    ),
    storedKey: Type.Optional(name('A stored API key, which the gateway puts in on the way out.')),
  },
  {
    description: 'What may be used: tools of a server, or a stored key.',
    ...rules(exactlyOne(['server', 'storedKey'], 'spec.target'), {
      rule: 'has(self.server) == has(self.tools)',
      message: 'spec.target.tools: name the tools of the server; there is no wildcard',
      fieldPath: '.tools',
    }),
  },
)

const Budget = fields(
  {
    calls: Type.Integer({
      description: 'Calls in all.',
      minimum: 1,
      maximum: 1_000_000,
      default: 500,
      format: 'int32',
    }),
    perMinute: Type.Integer({
      description: 'Calls per minute.',
      minimum: 1,
      maximum: 10_000,
      default: 30,
      format: 'int32',
    }),
  },
  { description: 'How much may be used.', default: {} },
)

const Approval = fields(
  {
    bindToCall: words(['Never', 'Always'], {
      description: 'Always: each call is approved by itself, with its exact arguments.',
      default: 'Never',
    }),
  },
  { description: 'How far an approval reaches.', default: {} },
)

export const McpGrantSpec = fields(
  {
    subject: Subject,
    target: Target,
    reason: Type.String({
      description: 'Why it is needed; the approver reads it.',
      minLength: 3,
      maxLength: 500,
    }),
    duration: duration('How long the grant lives once approved.', {
      ...rules({
        rule: "duration(self) >= duration('1m') && duration(self) <= duration('720h')",
        message: 'spec.duration: between 1m and 720h',
      }),
    }),
    budget: Budget,
    approval: Approval,
    secret: Type.Optional(
      fields(
        { name: dnsLabel('Name of the Secret.') },
        {
          description:
            'Puts a handle into a Secret, for clients that cannot present their own token. The policy of the server must allow it.',
        },
      ),
    ),
  },
  { description: 'What is asked for. Approval is given in the gateway, never here.' },
)
export type McpGrantSpec = Static<typeof McpGrantSpec>

const Risk = fields(
  {
    score: Type.Integer({
      description: 'From 0 to 100.',
      minimum: 0,
      maximum: 100,
      format: 'int32',
    }),
    factors: list(
      fields(
        {
          name: Type.String({ description: 'What raises the risk.', maxLength: 64 }),
          points: Type.Integer({ description: 'By how much.', format: 'int32' }),
        },
        { description: 'One part of the score.' },
      ),
      { maxItems: 32, description: 'What the score is made of.' },
    ),
  },
  { description: 'How the gateway judged the request.' },
)

export const McpGrantStatus = fields(
  {
    observedGeneration: Type.Optional(
      Type.Integer({
        description: 'Generation of the spec that was judged last.',
        minimum: 0,
        format: 'int64',
      }),
    ),
    conditions: Type.Optional(Conditions),
    requestId: Type.Optional(
      Type.String({ description: 'Id of the request at the gateway.', maxLength: 64 }),
    ),
    requestDigest: Type.Optional(
      Type.String({
        description: 'Digest of the spec that the request was made for.',
        maxLength: 128,
      }),
    ),
    risk: Type.Optional(Risk),
    approvedBy: Type.Optional(
      Type.String({ description: 'Id of the approver, or "policy" for low risk.', maxLength: 64 }),
    ),
    expiresAt: Type.Optional(time('When the grant ends.')),
    callsUsed: Type.Optional(
      Type.Integer({ description: 'Calls made so far.', minimum: 0, format: 'int64' }),
    ),
    lastHandledRevoke: Type.Optional(
      Type.String({
        description: 'Token of the last palisade.dev/revoke that was acted on.',
        maxLength: 256,
      }),
    ),
  },
  { description: 'What the gateway decided.' },
)
export type McpGrantStatus = Static<typeof McpGrantStatus>

/** Deleting the resource revokes the grant. */
export type McpGrant = CustomResource<'McpGrant', McpGrantSpec, McpGrantStatus>
export type McpGrantManifest = Manifest<McpGrant>

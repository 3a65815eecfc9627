import {
  ANNOTATION_SEQ,
  FINALIZER,
  LABEL_ROTATION,
  SECRETS_POLICY,
  STALE_FENCE,
} from '#api/v1alpha1/names'
import type { RotationBackend } from '#api/v1alpha1/rotation-backend'
import type { SecretRotation } from '#api/v1alpha1/secret-rotation'
import type { Backends, RotationObjects, SecretOutcome, Secrets, SecretToApply } from '../ports.ts'
import type { ApiClient } from '../runtime/api-client.ts'
import { ApiError, isNotFound } from '../runtime/api-error.ts'
import { apply, applyStatus } from '../runtime/apply.ts'
import { addFinalizer, removeFinalizer } from '../runtime/finalizer.ts'
import type { KubeObject, ObjectKey } from '../runtime/types.ts'

const GROUP = '/apis/palisade.dev/v1alpha1'
const FIELD_MANAGER = 'palisade-secret-rotation'

const rotationPath = ({ namespace, name }: ObjectKey): string =>
  `${GROUP}/namespaces/${namespace}/secretrotations/${name}`

const pathOf = (rotation: SecretRotation): string =>
  rotationPath({ namespace: rotation.metadata.namespace ?? '', name: rotation.metadata.name })

async function found<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

export function createRotationObjects(client: ApiClient): RotationObjects {
  return {
    // Read live: a pass that decides on a stale copy would do its last step a second time.
    find: (key, signal) => found(client.call<SecretRotation>('GET', rotationPath(key), { signal })),
    async writeStatus(rotation, status, signal) {
      const options = { fieldManager: FIELD_MANAGER, signal }
      try {
        await applyStatus(client, pathOf(rotation), rotation, status, options)
      } catch (error) {
        // The object went or changed while the pass was under way; the change brings a pass of its own.
        const gone = error instanceof ApiError && (error.status === 404 || error.status === 409)
        if (!gone) throw error
      }
    },
    hold: (rotation) => addFinalizer(client, pathOf(rotation), rotation, FINALIZER),
    letGo: (rotation) => removeFinalizer(client, pathOf(rotation), rotation, FINALIZER),
  }
}

interface Namespace extends KubeObject {
  readonly status?: { readonly phase?: string }
}

export function createBackends(client: ApiClient): Backends {
  return {
    find: (name, signal) =>
      found(client.call<RotationBackend>('GET', `${GROUP}/rotationbackends/${name}`, { signal })),
    async namespaceLabels(namespace, signal) {
      const path = `/api/v1/namespaces/${namespace}`
      const object = await found(client.call<Namespace>('GET', path, { signal }))
      if (!object) return undefined
      const since = object.metadata.deletionTimestamp
      return {
        labels: object.metadata.labels ?? {},
        ...(since === undefined ? {} : { terminatingSince: since }),
      }
    },
  }
}

interface AppliedSecret extends KubeObject {
  readonly metadata: KubeObject['metadata'] & {
    readonly managedFields?: readonly { readonly manager?: string; readonly time?: string }[]
  }
}

export function createSecrets(client: ApiClient): Secrets {
  return {
    async apply(secret: SecretToApply, signal): Promise<SecretOutcome> {
      const path = `/api/v1/namespaces/${secret.namespace}/secrets/${secret.name}`
      try {
        const options = { fieldManager: FIELD_MANAGER, signal }
        const applied = await apply<AppliedSecret>(client, path, bodyOf(secret), options)
        const ours = applied.metadata.managedFields?.find(
          ({ manager }) => manager === FIELD_MANAGER,
        )
        return { kind: 'applied', at: ours?.time ?? applied.metadata.creationTimestamp ?? '' }
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        const { message, status } = error
        const isFence = message.includes(`ValidatingAdmissionPolicy '${SECRETS_POLICY}'`)
        if (isFence && message.includes(STALE_FENCE)) return { kind: 'stale', message }
        if (isFence) return { kind: 'refused', message }
        if (status === 422) return { kind: 'invalid', message }
        throw error
      }
    },
  }
}

function bodyOf(secret: SecretToApply): object {
  const fields = Object.entries(secret.fields.reveal())
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: secret.name,
      namespace: secret.namespace,
      labels: { ...secret.labels, [LABEL_ROTATION]: secret.rotation },
      annotations: {
        ...secret.annotations,
        [ANNOTATION_SEQ]: String(secret.seq),
        'palisade.dev/version': String(secret.version),
      },
    },
    type: secret.type,
    data: Object.fromEntries(
      fields.map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    ),
  }
}

import { credentials } from '@grpc/grpc-js'
import { resource, resourceService } from '../proto.ts'
import type { JsonMap } from '../values.ts'
import { toStruct } from '../wire.ts'

export interface Registration {
  readonly type: string
  readonly name: string
  readonly parent: string
  readonly custom: boolean
  readonly object: JsonMap
  readonly dependencies: readonly string[]
  readonly provider?: string | undefined
  readonly version: string
}

export interface Registered {
  readonly urn: string
  readonly id: string
}

/** The engine's side of a component: what it registers becomes part of the program's plan. */
export class Monitor {
  readonly #client: InstanceType<typeof resourceService.ResourceMonitorClient>

  constructor(address: string) {
    this.#client = new resourceService.ResourceMonitorClient(address, credentials.createInsecure())
  }

  async register(wish: Registration): Promise<Registered> {
    const request = new resource.RegisterResourceRequest()
    request.setType(wish.type)
    request.setName(wish.name)
    request.setParent(wish.parent)
    request.setCustom(wish.custom)
    request.setObject(toStruct(wish.object))
    request.setDependenciesList([...wish.dependencies])
    request.setAcceptsecrets(true)
    request.setAcceptresources(true)
    request.setSupportsresultreporting(true)
    request.setAliasspecs(true)
    if (wish.custom) {
      request.setVersion(wish.version)
      if (wish.provider !== undefined) request.setProvider(wish.provider)
      for (const key of Object.keys(wish.object)) {
        request
          .getPropertydependenciesMap()
          .set(key, new resource.RegisterResourceRequest.PropertyDependencies())
      }
    }
    return new Promise((resolve, reject) => {
      this.#client.registerResource(request, (error, answer) => {
        if (error) reject(error)
        else if (answer.getResult() !== resource.Result.SUCCESS) {
          reject(new Error(`"${wish.name}" was not made`))
        } else resolve({ urn: answer.getUrn(), id: answer.getId() })
      })
    })
  }

  close(): void {
    this.#client.close()
  }
}

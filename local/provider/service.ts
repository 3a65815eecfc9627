import type { PluginAttach } from '@pulumi/pulumi/proto/plugin_pb.js'
import type {
  CheckRequest,
  ConfigureRequest,
  ConstructRequest,
  CreateRequest,
  DeleteRequest,
  DiffRequest,
  InvokeRequest,
  ProviderHandshakeRequest,
  ReadRequest,
  UpdateRequest,
} from '@pulumi/pulumi/proto/provider_pb.js'
import { LocalError } from '../errors.ts'
import { configProblems, readConfig } from './config.ts'
import { construct } from './construct/construct.ts'
import type { ProviderContext } from './context.ts'
import { EngineLog } from './engine-log.ts'
import { KubeApi } from './kubernetes/api.ts'
import { connect } from './kubernetes/connect.ts'
import { check } from './methods/check.ts'
import { create } from './methods/create.ts'
import { remove } from './methods/delete.ts'
import { diff } from './methods/diff.ts'
import { toDiffResponse } from './methods/diff-response.ts'
import { read } from './methods/read.ts'
import { inputsOf } from './methods/state.ts'
import { update } from './methods/update.ts'
import { empty, plugin, provider } from './proto.ts'
import { markObject } from './secrets.ts'
import { fromStruct, toStruct } from './wire.ts'

export interface ServiceOptions {
  readonly version: string
  /** Relative paths of charts and manifests start here: the folder of the program's main file. */
  readonly programDirectory: string
  readonly helm: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The gRPC service of a resource provider; one instance serves one engine. */
export class ProviderService {
  readonly #options: ServiceOptions
  readonly #log = new EngineLog()
  #context: ProviderContext | undefined

  constructor(options: ServiceOptions) {
    this.#options = options
  }

  get #ready(): ProviderContext {
    if (this.#context) return this.#context
    throw new LocalError(
      'ERR_PROVIDER_UNCONFIGURED',
      'the engine asked for a resource before it configured the provider',
      'this is a defect of the provider; run the command again and report it',
    )
  }

  handshake(request: ProviderHandshakeRequest): unknown {
    this.#log.connect(request.getEngineAddress())
    const answer = new provider.ProviderHandshakeResponse()
    answer.setAcceptSecrets(true)
    answer.setAcceptResources(true)
    answer.setAcceptOutputs(false)
    return answer
  }

  attach(request: PluginAttach): unknown {
    this.#log.connect(request.getAddress())
    return new empty.Empty()
  }

  getPluginInfo(): unknown {
    const answer = new plugin.PluginInfo()
    answer.setVersion(this.#options.version)
    return answer
  }

  getSchema(): unknown {
    const answer = new provider.GetSchemaResponse()
    answer.setSchema(JSON.stringify({ name: 'kubernetes', version: this.#options.version }))
    return answer
  }

  checkConfig(request: CheckRequest): unknown {
    const answer = new provider.CheckResponse()
    answer.setInputs(request.getNews())
    for (const { key, reason } of configProblems(fromStruct(request.getNews()).value)) {
      const failure = new provider.CheckFailure()
      failure.setProperty(key)
      failure.setReason(reason)
      answer.addFailures(failure)
    }
    return answer
  }

  /** Where the cluster is may change (a new port, a new certificate) without the objects being others. */
  diffConfig(): unknown {
    const answer = new provider.DiffResponse()
    answer.setChanges(provider.DiffResponse.DiffChanges.DIFF_UNKNOWN)
    return answer
  }

  async configure(request: ConfigureRequest): Promise<unknown> {
    const prefix = 'kubernetes:config:'
    const given = [...request.getVariablesMap().entries()] as [string, string][]
    const values = Object.fromEntries(given.map(([key, value]) => [key.replace(prefix, ''), value]))
    const config = readConfig(values, this.#options.env)
    this.#context = { config, log: this.#log, api: new KubeApi(await connect(config)) }
    const answer = new provider.ConfigureResponse()
    answer.setAcceptsecrets(true)
    answer.setSupportspreview(true)
    answer.setAcceptresources(true)
    answer.setAcceptoutputs(false)
    return answer
  }

  async check(request: CheckRequest): Promise<unknown> {
    const [olds, news] = [fromStruct(request.getOlds()), fromStruct(request.getNews())]
    const seed = request.getRandomseed_asU8()
    const answer = new provider.CheckResponse()
    answer.setInputs(toStruct(await check(request.getUrn(), olds, news, seed, this.#ready)))
    return answer
  }

  async diff(request: DiffRequest): Promise<unknown> {
    const state = fromStruct(request.getOlds())
    const before = inputsOf(state, fromStruct(request.getOldInputs()))
    const after = fromStruct(request.getNews())
    const plan = await diff(request.getUrn(), state.value, before, after, this.#ready)
    return toDiffResponse(plan, request.getIgnorechangesList())
  }

  async create(request: CreateRequest): Promise<unknown> {
    const inputs = fromStruct(request.getProperties())
    const options = { preview: request.getPreview(), timeoutSeconds: request.getTimeout() }
    const made = await create(request.getUrn(), inputs, options, this.#ready)
    const answer = new provider.CreateResponse()
    answer.setId(made.id)
    answer.setProperties(toStruct(made.state))
    return answer
  }

  async update(request: UpdateRequest): Promise<unknown> {
    const old = fromStruct(request.getOlds()).value
    const inputs = fromStruct(request.getNews())
    const options = { preview: request.getPreview(), timeoutSeconds: request.getTimeout() }
    const state = await update(request.getUrn(), old, inputs, options, this.#ready)
    const answer = new provider.UpdateResponse()
    answer.setProperties(toStruct(state))
    return answer
  }

  async read(request: ReadRequest): Promise<unknown> {
    const state = fromStruct(request.getProperties())
    const inputs = inputsOf(state, fromStruct(request.getInputs()))
    const found = await read(request.getUrn(), request.getId(), state.value, inputs, this.#ready)
    const answer = new provider.ReadResponse()
    if (!found) return answer
    answer.setId(found.id)
    answer.setProperties(toStruct(found.state))
    answer.setInputs(toStruct(markObject(found.inputs.value, found.inputs.secrets, new Set())))
    return answer
  }

  async delete(request: DeleteRequest): Promise<unknown> {
    const state = fromStruct(request.getProperties()).value
    await remove(request.getUrn(), request.getId(), state, request.getTimeout(), this.#ready)
    return new empty.Empty()
  }

  async construct(request: ConstructRequest): Promise<unknown> {
    return construct(request, this.#ready, this.#options)
  }

  invoke(request: InvokeRequest): never {
    throw new LocalError(
      'ERR_INVOKE_UNSUPPORTED',
      `the stand-in provider answers no function, here "${request.getTok()}"`,
      'declare a resource or a component (helm.v4.Chart, yaml.v2.ConfigGroup) instead',
    )
  }

  cancel(): unknown {
    this.#context?.api.stop()
    return new empty.Empty()
  }
}

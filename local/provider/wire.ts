import { struct } from './proto.ts'
import { decode, type Decoded, type JsonMap } from './values.ts'

type Struct = InstanceType<typeof struct.Struct>

export const toStruct = (value: JsonMap): Struct => struct.Struct.fromJavaScript(value)

export const rawStruct = (message: Struct | undefined): JsonMap => message?.toJavaScript() ?? {}

export const fromStruct = (message: Struct | undefined): Decoded => decode(rawStruct(message))

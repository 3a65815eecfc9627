// The generated classes are CommonJS whose names Node cannot see, so each module is taken by its default.
import engineService from '@pulumi/pulumi/proto/engine_grpc_pb.js'
import engine from '@pulumi/pulumi/proto/engine_pb.js'
import plugin from '@pulumi/pulumi/proto/plugin_pb.js'
import providerService from '@pulumi/pulumi/proto/provider_grpc_pb.js'
import provider from '@pulumi/pulumi/proto/provider_pb.js'
import resourceService from '@pulumi/pulumi/proto/resource_grpc_pb.js'
import resource from '@pulumi/pulumi/proto/resource_pb.js'
import status from '@pulumi/pulumi/proto/status_pb.js'
import any from 'google-protobuf/google/protobuf/any_pb.js'
import empty from 'google-protobuf/google/protobuf/empty_pb.js'
import struct from 'google-protobuf/google/protobuf/struct_pb.js'

export {
  any,
  empty,
  engine,
  engineService,
  plugin,
  provider,
  providerService,
  resource,
  resourceService,
  status,
  struct,
}

/**
 * Direct calls of the control plane to a host, each with what is asked and what is answered. Bytes (an archive, a log) are
 * not part of either: they follow it. See docs/design/link.md.
 */
import { Type, type Static, type TSchema } from 'typebox'
import { ContainerSpecSchema, ObservationSchema, PortDataSchema } from './container.ts'
import { RegistryAuthSchema } from './messages.ts'

const Nothing = Type.Null()
const container = Type.String()
const Size = Type.Object({ columns: Type.Integer(), rows: Type.Integer() })
const Exec = Type.Object({
  command: Type.Array(Type.String()),
  interactive: Type.Boolean(),
  tty: Type.Optional(Type.Boolean()),
})
const Limit = Type.Integer({ minimum: 0 })
const { networkId, networkName, projectId, subnets } = PortDataSchema.properties
const { image, imageDriver, imagePullPolicy } = ContainerSpecSchema.properties

const PathStatSchema = Type.Object({
  name: Type.String(),
  size: Type.Number(),
  mode: Type.Number(),
  mtime: Type.String(),
  linkTarget: Type.String(),
})

export const HOST_CALLS = {
  observe: { request: Type.Object({ container }), answer: ObservationSchema },
  logs: {
    request: Type.Object({
      container,
      stdout: Type.Boolean(),
      stderr: Type.Boolean(),
      timestamps: Type.Boolean(),
      tail: Type.Union([Type.Integer(), Type.Null()]),
      since: Type.Union([Type.Number(), Type.Null()]),
      maxBytes: Limit,
    }),
    answer: Nothing,
  },
  top: {
    request: Type.Object({ container, psArgs: Type.Union([Type.String(), Type.Null()]) }),
    answer: Type.Object({ Titles: Type.Array(Type.String()), Processes: Type.Array(Type.Array(Type.String())) }),
  },
  stats: {
    request: Type.Object({ container }),
    answer: Type.Object({
      cpuTotalNs: Type.Number(),
      cpuSystemNs: Type.Number(),
      previousCpuTotalNs: Type.Number(),
      previousCpuSystemNs: Type.Number(),
      onlineCpus: Type.Number(),
      memUsageBytes: Type.Number(),
      memLimitBytes: Type.Number(),
      blockReadBytes: Type.Number(),
      blockWriteBytes: Type.Number(),
      netRxBytes: Type.Number(),
      netTxBytes: Type.Number(),
    }),
  },
  resizeTty: { request: Type.Object({ container, size: Size }), answer: Nothing },
  execute: {
    request: Type.Object({ container, exec: Exec, timeoutMs: Limit, maxBytes: Limit }),
    answer: Type.Object({ exitCode: Type.Union([Type.Integer(), Type.Null()]), truncated: Type.Boolean() }),
  },
  createExec: { request: Type.Object({ container, exec: Exec }), answer: Type.String() },
  resizeExec: { request: Type.Object({ container, exec: Type.String(), size: Size }), answer: Nothing },
  getArchive: { request: Type.Object({ container, path: Type.String(), maxBytes: Limit }), answer: PathStatSchema },
  putArchive: { request: Type.Object({ container, path: Type.String() }), answer: Nothing },
  searchImages: {
    request: Type.Object({ term: Type.String() }),
    answer: Type.Array(
      Type.Object({
        name: Type.String(),
        description: Type.String(),
        is_automated: Type.Boolean(),
        metadata: Type.Object({ is_official: Type.Boolean(), star_count: Type.Number() }),
      }),
    ),
  },
  prepareNetwork: { request: Type.Object({ networkId, networkName, projectId, subnets }), answer: Type.String() },
  removeNetwork: { request: Type.Object({ networkId }), answer: Type.Boolean() },
  findImage: {
    request: Type.Object({
      spec: Type.Object({ image, imageDriver, imagePullPolicy }),
      projectId: Type.String(),
      registryDomain: Type.Union([Type.String(), Type.Null()]),
      auth: Type.Union([RegistryAuthSchema, Type.Null()]),
    }),
    answer: Type.Union([
      Type.Object({ reference: Type.String(), id: Type.String(), driver: Type.String() }),
      Type.Null(),
    ]),
  },
} as const satisfies Readonly<Record<string, { readonly request: TSchema; readonly answer: TSchema }>>

export type HostCall = keyof typeof HOST_CALLS
export type HostRequest<C extends HostCall> = Static<(typeof HOST_CALLS)[C]['request']>
export type HostAnswer<C extends HostCall> = Static<(typeof HOST_CALLS)[C]['answer']>

export function isHostCall(name: string): name is HostCall {
  return Object.hasOwn(HOST_CALLS, name)
}

/** What is told of an error, so that the other end can make one of the same class. */
export const HostFailureSchema = Type.Object({
  code: Type.String(),
  message: Type.String(),
  /** Of an answer of the API; absent: the error is of another kind. */
  status: Type.Optional(Type.Integer({ minimum: 400, maximum: 599 })),
  retryAfterS: Type.Optional(Type.Number()),
})
export type HostFailure = Static<typeof HostFailureSchema>

/** Typed client of the Containers API. See the README of this package. */
export { applicationCredential, passwordLogin, tokenLogin, withToken, type Auth, type Session } from './auth.ts'
export { connect, type Client, type ConnectOptions } from './client.ts'
export { ApiError, ConnectionError } from './errors.ts'
export type { CallOptions, Input, Method, Output } from './call.ts'
export type { ListenEvents } from './events.ts'
export { each, pages } from './pages.ts'
export { openProgram, type Program, type ProgramEnd, type ProgramOptions } from './program.ts'
export { waitFor, type Status } from './wait.ts'
export type { Output as ProgramOutput, PathStat, StreamMethods } from './streams.ts'

export type { ContainerEvent, StreamedEvent } from '@zund/contract/api/events.ts'
export type {
  FoundImage,
  Host,
  HostNetwork,
  Image,
  Quota,
  QuotaUsage,
  Registry,
  Service,
  Zone,
} from '@zund/contract/api/admin.ts'
export type { Capsule, LegacyCapsule } from '@zund/contract/api/capsule.ts'
export type { Address, Container, ListedContainer } from '@zund/contract/api/container.ts'
export type {
  ContainerHistory,
  Extension,
  LocalNetwork,
  LocalVolume,
  PastContainer,
} from '@zund/contract/api/extension.ts'
export type { ApiErrorBody, V1, Versions } from '@zund/contract/api/general.ts'
export type {
  Action,
  ActionWithEvents,
  Archive,
  AttachedNetworks,
  Executed,
  Stats,
  Top,
} from '@zund/contract/api/live.ts'
export type { CreateContainer, UpdateContainer } from '@zund/contract/api/requests/container.ts'
export type {
  CreateCapsule,
  CreateHostNetwork,
  CreateLocalNetwork,
  CreateLocalVolume,
  CreateRegistry,
  PullImage,
  UpdateQuota,
  UpdateRegistry,
} from '@zund/contract/api/requests/others.ts'

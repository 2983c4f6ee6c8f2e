/** What is seen of a live container (containers 9 to 15). */
import { Type } from 'typebox'
import { exact, IsoTime, named, nullable, Uuid, words, type Wire } from './schema.ts'

export const StatsSchema = named('Stats', {
  CONTAINER: nullable(Type.String()),
  'CPU %': Type.Number(),
  'MEM USAGE(MiB)': Type.Number(),
  'MEM LIMIT(MiB)': Type.Number(),
  'MEM %': Type.Number(),
  'BLOCK I/O(B)': Type.String({ pattern: '^[0-9]+/[0-9]+$' }),
  'NET I/O(B)': Type.String({ pattern: '^[0-9]+/[0-9]+$' }),
})
export type Stats = Wire<typeof StatsSchema>

export const TopSchema = named('Top', {
  Titles: Type.Array(Type.String()),
  Processes: Type.Array(Type.Array(Type.String())),
})
export type Top = Wire<typeof TopSchema>

/** `exec_id` and `proxy_url` when the command waits for a terminal, else `output` and `exit_code`. */
export const ExecutedSchema = named('Executed', {
  output: nullable(Type.String()),
  exit_code: nullable(Type.Integer()),
  exec_id: nullable(Type.String()),
  proxy_url: nullable(Type.String()),
})
export type Executed = Wire<typeof ExecutedSchema>

export const ArchiveSchema = named('Archive', {
  data: Type.String({ description: 'The tar file: base64 from version 1.25 on, before that as text.' }),
  stat: exact({
    name: Type.String(),
    size: Type.Integer(),
    mode: Type.Integer(),
    mtime: Type.String(),
    linkTarget: Type.String(),
  }),
})
export type Archive = Wire<typeof ArchiveSchema>

/** One for each port, from version 1.18 on. */
export const PortsSchema = named('AttachedPorts', {
  networks: Type.Array(
    exact({
      net_id: Type.String(),
      port_id: Type.String(),
      fixed_ips: Type.Array(exact({ subnet_id: Type.String(), version: Type.Integer(), ip_address: Type.String() })),
    }),
  ),
})

/** One for each address, up to version 1.17. */
export const AddressesSchema = named('AttachedAddresses', {
  networks: Type.Array(
    exact({
      net_id: Type.String(),
      subnet_id: Type.String(),
      port_id: Type.String(),
      version: Type.Integer(),
      ip_address: Type.String(),
    }),
  ),
})
export type AttachedPort = Wire<typeof PortsSchema>['networks'][number]
export type AttachedAddress = Wire<typeof AddressesSchema>['networks'][number]
export interface AttachedNetworks {
  readonly networks: readonly AttachedPort[] | readonly AttachedAddress[]
}

export const CommittedSchema = named('Committed', { uuid: Uuid })

const ACTION = {
  action: Type.String(),
  container_uuid: Uuid,
  request_id: Type.String(),
  user_id: Type.String(),
  project_id: Type.String(),
  start_time: IsoTime,
  finish_time: nullable(IsoTime),
  message: nullable(Type.Literal('Error')),
}
const EventSchema = named('ActionEvent', {
  event: Type.String(),
  start_time: IsoTime,
  finish_time: nullable(IsoTime),
  result: nullable(words(['Success', 'Error'])),
  traceback: nullable(Type.String()),
})

const ActionSchema = named('Action', ACTION)
export type Action = Wire<typeof ActionSchema>

export const ActionsSchema = named('Actions', { containerActions: Type.Array(ActionSchema) })

export const ActionWithEventsSchema = named('ActionWithEvents', { ...ACTION, events: Type.Array(EventSchema) })
export type ActionWithEvents = Wire<typeof ActionWithEventsSchema>

import type { ContainerStatus } from './types.ts'

/** Keys of the table in the contract (container-states 4); they appear in the text of a refusal. */
export type StateKey =
  | 'start'
  | 'stop'
  | 'reboot'
  | 'rebuild'
  | 'pause'
  | 'unpause'
  | 'kill'
  | 'execute'
  | 'execute_resize'
  | 'attach'
  | 'resize'
  | 'top'
  | 'stats'
  | 'logs'
  | 'get_archive'
  | 'put_archive'
  | 'commit'
  | 'update'
  | 'resize_container'
  | 'add_security_group'
  | 'remove_security_group'
  | 'delete'
  | 'delete_force'
  | 'delete_after_stop'
  | 'network_attach'
  | 'network_detach'

const LIVE: readonly ContainerStatus[] = ['Running']
const SETTLED: readonly ContainerStatus[] = ['Created', 'Running', 'Stopped', 'Paused']
const RESTARTABLE: readonly ContainerStatus[] = ['Created', 'Running', 'Stopped', 'Error']

/** From which status a verb is allowed. */
export const ALLOWED_STATUSES: Readonly<Record<StateKey, readonly ContainerStatus[]>> = {
  start: ['Created', 'Stopped', 'Error'],
  stop: LIVE,
  reboot: RESTARTABLE,
  rebuild: RESTARTABLE,
  pause: LIVE,
  unpause: ['Paused'],
  kill: LIVE,
  execute: LIVE,
  execute_resize: LIVE,
  attach: LIVE,
  resize: LIVE,
  top: LIVE,
  stats: LIVE,
  logs: ['Created', 'Running', 'Stopped', 'Paused', 'Error', 'Unknown'],
  get_archive: SETTLED,
  put_archive: SETTLED,
  commit: ['Running', 'Stopped', 'Paused'],
  update: SETTLED,
  resize_container: SETTLED,
  add_security_group: SETTLED,
  remove_security_group: SETTLED,
  delete: ['Created', 'Stopped', 'Deleted', 'Error', 'Dead'],
  delete_force: [
    'Creating',
    'Created',
    'Running',
    'Stopped',
    'Restarting',
    'Rebuilding',
    'Deleting',
    'Deleted',
    'Error',
    'Dead',
    'Unknown',
  ],
  delete_after_stop: ['Created', 'Running', 'Stopped', 'Deleted', 'Error', 'Dead'],
  // The reference checks nothing here; changing the networks of a container that is half made or half gone loses ports.
  network_attach: SETTLED,
  network_detach: SETTLED,
}

export function isAllowed(key: StateKey, status: ContainerStatus): boolean {
  return ALLOWED_STATUSES[key].includes(status)
}

/** Registered rules: names and default check strings as the public contract has them, and our own ones. */

export interface RuleDefault {
  readonly name: string
  /** Check string that is in force while no file says otherwise. */
  readonly check: string
  readonly about: string
}

const OWNER = 'is_admin:True or project_id:%(project_id)s'
const ADMIN = 'rule:context_is_admin'
const ROLE_ADMIN = 'role:admin'
const NOBODY = 'rule:deny_everybody'

type Row = readonly [name: string, check: string, about: string]

const BASE: readonly Row[] = [
  ['context_is_admin', 'role:admin', 'who counts as an admin'],
  ['admin_or_owner', OWNER, 'for rules of the operator; no default refers to it'],
  ['admin_api', ADMIN, 'for rules of the operator; no default refers to it'],
  ['deny_everybody', '!', 'nobody'],
]

const CONTAINERS: readonly Row[] = [
  ['container:create', OWNER, 'create or run a container'],
  ['container:create:runtime', ADMIN, 'choose the runtime'],
  ['container:create:privileged', NOBODY, 'ask for a privileged container'],
  ['container:create:requested_destination', ADMIN, 'choose the host'],
  ['container:create:image_pull_policy', ADMIN, 'choose when the image is pulled'],
  ['container:delete', OWNER, 'delete a container'],
  ['container:delete_all_projects', ADMIN, 'delete with all_projects'],
  ['container:delete_force', ADMIN, 'delete with force'],
  ['container:get_one', OWNER, 'show a container'],
  ['container:get_one:host', ADMIN, 'see and filter by its host'],
  ['container:get_one:image_pull_policy', ADMIN, 'see when its image is pulled'],
  ['container:get_one:privileged', ADMIN, 'see whether it is privileged'],
  ['container:get_one:runtime', ADMIN, 'see its runtime'],
  ['container:get_one_all_projects', ADMIN, 'show with all_projects'],
  ['container:get_all', OWNER, 'list containers'],
  ['container:get_all_all_projects', ADMIN, 'list those of all projects'],
  ['container:update', OWNER, 'change cpu, memory, name or auto_heal'],
  ['container:start', OWNER, 'start a container'],
  ['container:stop', OWNER, 'stop a container'],
  ['container:reboot', OWNER, 'restart a container'],
  ['container:pause', OWNER, 'pause a container'],
  ['container:unpause', OWNER, 'unpause a container'],
  ['container:logs', OWNER, 'read the log'],
  ['container:execute', OWNER, 'run a command inside'],
  ['container:execute_resize', OWNER, 'resize the terminal of such a command'],
  ['container:kill', OWNER, 'send a signal'],
  ['container:rename', OWNER, 'rename a container (versions before 1.14)'],
  ['container:attach', OWNER, 'open its terminal'],
  ['container:resize', OWNER, 'resize its terminal'],
  ['container:top', OWNER, 'list its processes'],
  ['container:get_archive', OWNER, 'copy files out of it'],
  ['container:put_archive', OWNER, 'copy files into it'],
  ['container:stats', OWNER, 'see what it uses'],
  ['container:commit', OWNER, 'make an image of it'],
  ['container:add_security_group', OWNER, 'add a security group'],
  ['container:network_detach', OWNER, 'take it off a network'],
  ['container:network_attach', OWNER, 'put it on a network'],
  ['container:remove_security_group', OWNER, 'remove a security group'],
  ['container:rebuild', OWNER, 'make it anew from an image'],
  ['container:resize_container', OWNER, 'change its cpu and memory'],
  ['container:actions', OWNER, 'list and show what was done with it'],
  ['container:action:events', ADMIN, 'see the traces of failed steps'],
]

const CAPSULES: readonly Row[] = [
  ['capsule:create', OWNER, 'create a capsule'],
  ['capsule:delete', OWNER, 'delete a capsule'],
  ['capsule:delete_all_projects', ADMIN, 'delete with all_projects'],
  ['capsule:get', OWNER, 'show a capsule'],
  ['capsule:get:host', ADMIN, 'see its host'],
  ['capsule:get_one_all_projects', ADMIN, 'nothing: no request is checked against it'],
  ['capsule:get_all', OWNER, 'list capsules'],
  ['capsule:get_all_all_projects', ADMIN, 'nothing: no request is checked against it'],
]

const OTHERS: readonly Row[] = [
  ['image:pull', ADMIN, 'pull an image on a host'],
  ['image:get_all', ADMIN, 'list images'],
  ['image:get_one', ADMIN, 'show an image'],
  ['image:search', OWNER, 'search the registry'],
  ['image:delete', ADMIN, 'delete an image'],
  ['zun-service:delete', ADMIN, 'remove the record of a service'],
  ['zun-service:disable', ADMIN, 'take a host out of use'],
  ['zun-service:enable', ADMIN, 'put a host to use again'],
  ['zun-service:force_down', ADMIN, 'say that a host is down'],
  ['zun-service:get_all', ADMIN, 'list services'],
  ['host:get_all', ADMIN, 'list hosts'],
  ['host:get', ADMIN, 'show a host'],
  ['network:attach_external_network', ROLE_ADMIN, 'use an external network that is not shared'],
  ['network:create', ROLE_ADMIN, 'make the network of the engine for one of the network service'],
  ['network:delete', ROLE_ADMIN, 'remove such a network'],
  ['availability_zones:get_all', OWNER, 'list availability zones'],
  ['quota:update', ADMIN, 'set the quotas of a project'],
  ['quota:delete', ADMIN, 'reset the quotas of a project'],
  ['quota:get', OWNER, 'show the quotas of a project'],
  ['quota:get_default', OWNER, 'show the default quotas'],
  ['quota_class:update', ADMIN, 'set the quotas of a class'],
  ['quota_class:get', ADMIN, 'show the quotas of a class'],
  ['registry:create', OWNER, 'create a registry'],
  ['registry:delete', OWNER, 'delete a registry'],
  ['registry:get_one', OWNER, 'show a registry'],
  ['registry:get_all', OWNER, 'list registries'],
  ['registry:get_all_all_projects', ADMIN, 'list those of all projects'],
  ['registry:update', OWNER, 'change a registry'],
]

/** The built-in network and volume services; upstream has no such rules. */
const LOCAL: readonly Row[] = [
  ['local_network:create', OWNER, 'create a local network'],
  ['local_network:delete', OWNER, 'delete a local network'],
  ['local_network:get_one', OWNER, 'show a local network'],
  ['local_network:get_all', OWNER, 'list local networks'],
  ['local_volume:create', OWNER, 'create a local volume'],
  ['local_volume:delete', OWNER, 'delete a local volume'],
  ['local_volume:get_one', OWNER, 'show a local volume'],
  ['local_volume:get_all', OWNER, 'list local volumes'],
]

/** What is known of past containers; upstream has no such rules. */
const HISTORY: readonly Row[] = [
  ['event:get_all', OWNER, 'follow what happens to containers and capsules'],
  ['event:get_all_all_projects', ADMIN, 'follow what happens in all projects'],
  ['history:get_one', OWNER, 'show why a container stopped and what was done to it, also after it was deleted'],
  ['history:get_all', OWNER, 'list deleted containers'],
  ['history:get_all_all_projects', ADMIN, 'list deleted containers of all projects'],
]

export const REGISTERED_RULES: readonly RuleDefault[] = [
  ...BASE,
  ...CONTAINERS,
  ...CAPSULES,
  ...OTHERS,
  ...LOCAL,
  ...HISTORY,
].map(([name, check, about]) => ({ name, check, about }))

/** Registered defaults (policy.md 1 and 2). */
const OWNER = 'is_admin:True or project_id:%(project_id)s'
const ADMIN = 'rule:context_is_admin'
const ROLE_ADMIN = 'role:admin'
const NOBODY = 'rule:deny_everybody'

const BASE: Readonly<Record<string, string>> = {
  context_is_admin: 'role:admin',
  admin_or_owner: OWNER,
  admin_api: ADMIN,
  deny_everybody: '!',
}

const OWNER_RULES = [
  'container:create',
  'container:delete',
  'container:get_one',
  'container:get_all',
  'container:update',
  'container:start',
  'container:stop',
  'container:reboot',
  'container:pause',
  'container:unpause',
  'container:logs',
  'container:execute',
  'container:execute_resize',
  'container:kill',
  'container:rename',
  'container:attach',
  'container:resize',
  'container:top',
  'container:get_archive',
  'container:put_archive',
  'container:stats',
  'container:commit',
  'container:add_security_group',
  'container:network_detach',
  'container:network_attach',
  'container:remove_security_group',
  'container:rebuild',
  'container:resize_container',
  'container:actions',
  'capsule:create',
  'capsule:delete',
  'capsule:get',
  'capsule:get_all',
  'image:search',
  'availability_zones:get_all',
  'quota:get',
  'quota:get_default',
  'registry:create',
  'registry:delete',
  'registry:get_one',
  'registry:get_all',
  'registry:update',
  // Ours: the built-in network and volume services.
  'local_network:create',
  'local_network:delete',
  'local_network:get_one',
  'local_network:get_all',
  'local_volume:create',
  'local_volume:delete',
  'local_volume:get_one',
  'local_volume:get_all',
]

const ADMIN_RULES = [
  'container:create:runtime',
  'container:create:requested_destination',
  'container:create:image_pull_policy',
  'container:delete_all_projects',
  'container:delete_force',
  'container:get_one:host',
  'container:get_one:image_pull_policy',
  'container:get_one:privileged',
  'container:get_one:runtime',
  'container:get_one_all_projects',
  'container:get_all_all_projects',
  'container:action:events',
  'capsule:delete_all_projects',
  'capsule:get:host',
  'capsule:get_one_all_projects',
  'capsule:get_all_all_projects',
  'image:pull',
  'image:get_all',
  'image:get_one',
  'image:delete',
  'zun-service:delete',
  'zun-service:disable',
  'zun-service:enable',
  'zun-service:force_down',
  'zun-service:get_all',
  'host:get_all',
  'host:get',
  'quota:update',
  'quota:delete',
  'quota_class:update',
  'quota_class:get',
  'registry:get_all_all_projects',
]

const ROLE_ADMIN_RULES = ['network:attach_external_network', 'network:create', 'network:delete']

export const DEFAULT_RULES: Readonly<Record<string, string>> = {
  ...BASE,
  ...all(OWNER_RULES, OWNER),
  ...all(ADMIN_RULES, ADMIN),
  ...all(ROLE_ADMIN_RULES, ROLE_ADMIN),
  'container:create:privileged': NOBODY,
}

function all(names: readonly string[], rule: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, rule]))
}

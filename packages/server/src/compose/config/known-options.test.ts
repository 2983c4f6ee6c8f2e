/** A zun.conf of upstream is taken whole: no option of it is unknown. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findingsOf } from './findings.ts'
import { ignoredOption } from './ignored-options.ts'
import type { Option } from './kinds.ts'
import { OPTIONS } from './options.ts'

const CLIENT = 'region_name endpoint_type ca_file insecure cert_file key_file'
const AUTH =
  'auth_type auth_url username user_id password user_domain_name user_domain_id project_name project_id ' +
  'project_domain_name project_domain_id default_domain_name trust_id cafile certfile keyfile insecure timeout ' +
  'collect_timing split_loggers'

/** What the contract lists, by group. */
const CONTRACT: Readonly<Record<string, string>> = {
  DEFAULT:
    'transport_url rpc_response_timeout control_exchange executor_thread_pool_size rpc_conn_pool_size host my_ip ' +
    'my_block_storage_ip state_path pybasedir bindir debug log_file log_dir use_syslog syslog_log_facility use_stderr ' +
    'use_journal use_json log_config_append logging_context_format_string logging_default_format_string ' +
    'default_log_levels rate_limit_interval rate_limit_burst container_driver capsule_driver container_runtime ' +
    'default_sleep_time default_timeout floating_cpu_set default_memory_swap minimum_memory maximum_memory ' +
    'minimum_cpus maximum_cpus minimum_disk maximum_disk default_memory default_cpu default_disk image_driver_list ' +
    'default_image_driver sandbox_image sandbox_image_driver sandbox_image_pull_policy default_availability_zone ' +
    'default_schedule_zone periodic_interval_max service_down_time sync_container_state_interval ' +
    'auth_encryption_key rootwrap_config tempdir monkey_patch backdoor_port graceful_shutdown_timeout ' +
    'run_external_periodic_tasks',
  api: 'port host_ip enable_ssl_api workers max_limit api_paste_config enable_image_validation',
  ssl: 'ca_file cert_file key_file version ciphers',
  compute:
    'topic unique_container_name_scope resume_container_state remount_container_volume reserve_disk_for_image ' +
    'enable_cpu_pinning resource_provider_association_refresh host_shared_with_nova reserved_host_disk_mb ' +
    'reserved_host_memory_mb reserved_host_cpus cpu_allocation_ratio ram_allocation_ratio disk_allocation_ratio ' +
    'initial_cpu_allocation_ratio initial_ram_allocation_ratio initial_disk_allocation_ratio',
  scheduler: 'driver available_filters enabled_filters max_placement_results',
  docker:
    'api_url docker_remote_api_version docker_remote_api_host docker_remote_api_port docker_remote_api_url ' +
    'default_timeout execute_timeout api_insecure ca_file cert_file key_file docker_data_root default_registry ' +
    'default_registry_username default_registry_password',
  glance: 'images_directory',
  network: 'driver driver_name',
  neutron: 'ovs_bridge',
  volume:
    'driver driver_list volume_dir fstype use_multipath timeout_wait_volume_available timeout_wait_volume_deleted',
  quota: 'containers memory cpu disk driver',
  websocket_proxy: 'base_url wsproxy_host wsproxy_port allowed_origins ssl_only cert key',
  keystone_auth: `${AUTH} memcached_servers auth_version`,
  keystone_authtoken:
    `${AUTH} www_authenticate_uri auth_uri interface region_name memcached_servers memcache_servers ` +
    'token_cache_time service_token_roles service_token_roles_required service_type http_connect_timeout ' +
    'http_request_max_retries delay_auth_decision include_service_catalog enforce_token_bind memcache_secret_key',
  cinder_client: `${CLIENT} api_version`,
  glance_client: `${CLIENT} api_version`,
  neutron_client: CLIENT,
  placement_client: CLIENT,
  zun_client: CLIENT,
  database:
    'connection mysql_engine max_pool_size max_overflow pool_timeout connection_recycle_time max_retries retry_interval',
  oslo_policy:
    'policy_file policy_dirs policy_default_rule remote_content_type remote_ssl_ca_crt_file enforce_scope ' +
    'enforce_new_defaults',
  oslo_concurrency: 'lock_path disable_process_locking',
  oslo_messaging_rabbit:
    'ssl ssl_ca_file heartbeat_timeout_threshold rabbit_ha_queues rabbit_quorum_queue amqp_durable_queues',
  oslo_messaging_notifications: 'driver transport_url',
  cors: 'allowed_origin allow_credentials expose_headers allow_methods allow_headers max_age',
  oslo_middleware: 'enable_proxy_headers_parsing max_request_body_size',
  healthcheck: 'backends disable_by_file_path',
  pci: 'passthrough_whitelist alias',
  cni_daemon:
    'cni_daemon_port cni_daemon_host worker_num vif_active_timeout pyroute2_timeout docker_mode netns_proc_dir ' +
    'sriov_physnet_resource_mappings zun_cni_config_file',
  profiler: 'enabled hmac_keys',
  privsep: 'user',
  zun_sys_admin: 'helper_command',
}

const WRITTEN = Object.entries(CONTRACT).flatMap(([group, names]) =>
  names.split(' ').map((name): [group: string, name: string] => [group, name]),
)
const READ = new Set(Object.values<Option<unknown>>(OPTIONS).map(({ group, name }) => `${group}.${name}`))

test('every option of the contract is read, or known to have no effect and told with a reason', () => {
  for (const [group, name] of WRITTEN) {
    const told = findingsOf(new Map([[`${group}.${name}`, ['odd']]]))
    if (READ.has(`${group}.${name}`)) assert.deepEqual(told, [])
    else assert.match(told[0]?.text ?? '', new RegExp(`^option ${name} in \\[${group}\\] has no effect: .{10}`))
  }
})

test('what an operator would miss is told louder than what tunes', () => {
  const level = (group: string, name: string) => ignoredOption(group, name)?.level
  for (const [group, name] of [
    ['DEFAULT', 'transport_url'],
    ['DEFAULT', 'capsule_driver'],
    ['keystone_authtoken', 'memcached_servers'],
    ['network', 'driver'],
    ['api', 'api_paste_config'],
  ] as const) {
    assert.equal(level(group, name), 'warn', name)
  }
  for (const [group, name] of [
    ['DEFAULT', 'rpc_conn_pool_size'],
    ['database', 'max_pool_size'],
    ['api', 'workers'],
    ['privsep', 'user'],
  ] as const) {
    assert.equal(level(group, name), 'info', name)
  }
})

test('values that ask for what is done anyway are not told', () => {
  const fine = { container_driver: 'docker', capsule_driver: 'docker', image_driver_list: 'glance, docker' }
  assert.deepEqual(findingsOf(new Map(Object.entries(fine).map(([name, value]) => [`DEFAULT.${name}`, [value]]))), [])
})

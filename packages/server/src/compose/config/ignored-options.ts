/** Options of upstream's file that have no effect here, each with the reason. What stands here is no mistake. */

export interface IgnoredOptions {
  /** `name*`: every group that begins so. */
  readonly group: string
  /** In the same spelling; `*` is all that the group has besides. */
  readonly names: readonly string[]
  /** warn: an operator who relies on it would be surprised. info: tuning, remnants, details of another program. */
  readonly level: 'warn' | 'info'
  readonly why: string
  /** Values that ask for what is done here anyway; they are not worth a word. */
  readonly fine?: readonly string[]
}

const row = (
  level: IgnoredOptions['level'],
  group: string,
  names: string,
  why: string,
  ...fine: readonly string[]
): IgnoredOptions => ({ level, group, names: names.split(' '), why, ...(fine.length === 0 ? {} : { fine }) })

const notYet = (service: string): string => `not used by this deployment yet: ${service}`
const ONE_PROCESS = notYet('roles speak to each other without a message bus')
const TOKENS_KEPT = 'each process keeps what it knows of tokens in its own memory, which is asked faster'
const DATABASE = notYet('records are in SQLite')
const NEUTRON = notYet('devices are not passed through for ports of Neutron')
const UNUSED = 'upstream does not use it either'
const OF_PYTHON = 'a detail of the Python program'
const STATE_DIR = 'what is kept is in the state directory, given by --state-dir'

/** The first row that fits counts. */
export const IGNORED_OPTIONS: readonly IgnoredOptions[] = [
  row('warn', 'DEFAULT', 'transport_url rpc_response_timeout', ONE_PROCESS),
  row('info', 'DEFAULT', 'control_exchange executor_thread_pool_size rpc_* conn_pool_* rpc_backend', ONE_PROCESS),
  row('info', 'DEFAULT', 'tempdir', STATE_DIR),
  row('info', 'DEFAULT', 'pybasedir bindir monkey_patch monkey_patch_modules backdoor_*', OF_PYTHON),
  row('info', 'DEFAULT', 'graceful_shutdown_timeout run_external_periodic_tasks client_socket_timeout', OF_PYTHON),
  row('info', 'DEFAULT', 'wsgi_* tcp_keepidle max_header_line log_options', OF_PYTHON),
  row('info', 'DEFAULT', 'rootwrap_config', 'what needs root is called directly, with lists of arguments'),
  row('info', 'DEFAULT', 'default_sleep_time default_timeout', UNUSED),
  row('warn', 'DEFAULT', 'container_driver', 'containers are those of Docker', 'docker', 'docker.driver.DockerDriver'),
  row('warn', 'DEFAULT', 'capsule_driver', 'capsules are made with Docker, not through CRI', 'docker'),
  row('warn', 'DEFAULT', 'log_config_append', 'where and how is logged is told by the other options'),
  row('warn', 'DEFAULT', 'use_journal use_syslog', 'the log is a file: log_file, log_dir', 'false'),
  row('info', 'DEFAULT', 'syslog_log_facility use_stderr', 'the log is a file: log_file, log_dir'),
  row('info', 'DEFAULT', 'watch_log_file', 'SIGHUP opens the log file again', 'false'),
  row('info', 'DEFAULT', 'logging_* log_date_format rate_limit_* use_eventlog', OF_PYTHON),
  row('info', 'DEFAULT', 'log_rotate_* log_rotation_type max_logfile_*', 'logrotate with SIGHUP does it', 'none'),
  row('info', 'DEFAULT', 'publish_errors instance_* fatal_deprecations', OF_PYTHON),

  row('info', 'api', 'enable_image_validation', 'an image that is not there is refused in the request', 'false'),
  row('info', 'api', 'workers', 'one process serves the API; it does not wait for others while it serves', '1'),
  row(
    'warn',
    'api',
    'api_paste_config',
    'the order of filters is fixed; [cors] and [healthcheck] set what there was to set',
  ),
  row('info', 'compute', 'topic', ONE_PROCESS),
  row(
    'info',
    'compute',
    'resource_provider_association_refresh',
    'what others have changed is looked up at each report',
  ),
  row('info', 'docker', 'docker_remote_api_version', 'the version is negotiated with the engine'),
  row('info', 'docker', 'docker_remote_api_*', "terminals go through the host's own socket of the engine"),
  row('info', 'docker', 'api_insecure ca_file cert_file key_file', 'the engine is spoken to through its unix socket'),
  row('warn', 'docker', 'docker_data_root', 'the engine itself says where its data is'),

  row('warn', 'network', 'driver', 'networks are set up by a plugin of Docker, not through CNI', 'kuryr'),
  row('info', 'volume', 'driver', 'deprecated; driver_list counts'),

  row('warn', 'keystone_authtoken', 'memcached_servers memcache_servers memcache_* cache', TOKENS_KEPT),
  row('warn', 'keystone_authtoken', 'delay_auth_decision', 'no request without a good token is let in', 'false'),
  row('warn', 'keystone_authtoken', 'enforce_token_bind', 'no token is bound to anything', 'permissive', 'disabled'),
  row('info', 'keystone_authtoken', 'include_service_catalog', 'a catalogue is not handed on'),
  row('info', 'keystone_authtoken', '*', OF_PYTHON),
  row('info', 'keystone_auth', '*', OF_PYTHON),
  row('info', 'cinder_client', 'api_version', 'version 3 is spoken'),
  row('info', 'glance_client', 'api_version', 'version 2 is spoken'),
  row('info', 'zun_client', '*', UNUSED),
  row('info', 'database', '*', DATABASE),
  row('warn', 'oslo_policy', 'remote_*', 'no request waits for another server; such checks deny'),
  row('info', 'oslo_policy', 'enforce_scope enforce_new_defaults', 'tokens are of a project or of nothing'),
  row('info', 'oslo_concurrency', '*', 'the state directory is locked as a whole'),
  row('info', 'oslo_messaging*', '*', ONE_PROCESS),
  row('info', 'oslo_middleware', '*', 'a body may have 1 MiB, an archive max_archive_size'),
  row('info', 'oslo_reports', '*', OF_PYTHON),
  row('info', 'oslo_versionedobjects', '*', OF_PYTHON),
  row('info', 'healthcheck', 'backends', 'the file is always looked for', 'disable_by_file'),
  row('info', 'healthcheck', 'path detailed ignore_proxied_requests', 'it is at /healthcheck and says OK'),
  row('warn', 'healthcheck', 'disable_by_file_paths', 'one file, disable_by_file_path, is looked for'),
  row('warn', 'pci', 'alias', UNUSED),
  row('info', 'cni_daemon', '*', 'networks are set up by Docker, not through CNI'),
  row('info', 'profiler', '*', 'there is no osprofiler here'),
  row('info', 'profiler_*', '*', 'there is no osprofiler here'),
  row('info', 'privsep*', '*', OF_PYTHON),
  row('info', 'zun_sys_admin', '*', OF_PYTHON),
  row('info', 'sriov', '*', NEUTRON),
]

export function ignoredOption(group: string, name: string): IgnoredOptions | undefined {
  return IGNORED_OPTIONS.find((known) => fits(known.group, group) && known.names.some((pattern) => fits(pattern, name)))
}

function fits(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name
}

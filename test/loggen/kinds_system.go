package loggen

// sshdKind is a host's login daemon in syslog's classic layout.
func sshdKind() kind {
	return kind{
		gaps: exponential(60),
		fields: map[string]field{
			"time":    clock("Jan _2 15:04:05"),
			"host":    fixed(pick(0, "bastion-1", "bastion-2", "bastion-3")),
			"pid":     counter(2100, zipf(9, 1)),
			"ip":      pool(200, 1, address("", 4)),
			"port":    uniform(32768, 28232),
			"user":    pick(0.9, "deploy", "anna", "backup", "ci", "marek", "jun", "ops"),
			"nobody":  pick(0.9, "admin", "test", "oracle", "ubuntu", "postgres", "guest", "pi", "ftpuser", "hadoop", "minecraft", "support", "user1"),
			"key":     pool(25, 0.8, hexadecimal(32)),
			"session": counter(17, zipf(4, 2)),
		},
		flows: []flow{
			{45, []entry{
				{"info", "{time} {host} sshd[{pid}]: Invalid user {nobody} from {ip} port {port}"},
				{"info", "{time} {host} sshd[{=pid}]: input_userauth: no account for {=nobody} [preauth]"},
				{"warn", "{time} {host} sshd[{=pid}]: Failed password for invalid user {=nobody} from {=ip} port {=port} ssh2"},
				{"info", "{time} {host} sshd[{=pid}]: Connection closed by invalid user {=nobody} {=ip} port {=port} [preauth]"},
			}},
			{25, []entry{
				{"warn", "{time} {host} sshd[{pid}]: Failed password for root from {ip} port {port} ssh2"},
				{"info", "{time} {host} sshd[{=pid}]: Received disconnect from {=ip} port {=port}:11: Bye Bye [preauth]"},
			}},
			{20, []entry{
				{"info", "{time} {host} sshd[{pid}]: Accepted publickey for {user} from {ip} port {port} ssh2: ED25519 MD5:{key}"},
				{"info", "{time} {host} sshd[{=pid}]: session opened for user {=user}(uid=1000) by (uid=0)"},
				{"info", "{time} {host} systemd-logind[611]: New session {session} of user {=user}."},
			}},
			{8, []entry{{"info", "{time} {host} CRON[{pid}]: ({user}) CMD (  /usr/local/bin/rotate --quiet)"}}},
			{2, []entry{{"error", "{time} {host} kernel: [{pid}.{port}] out of memory: killed process {pid} ({user}), total-vm {port}kB"}}},
		},
	}
}

// k8sKind is a controller that reconciles deployments, in klog's layout.
func k8sKind() kind {
	return kind{
		gaps: exponential(12), micro: true,
		fields: map[string]field{
			"time":    clock("0102 15:04:05.000000"),
			"ns":      pick(1, "shop", "payments", "monitoring", "ingress", "batch", "kube-system"),
			"app":     pick(0.7, "checkout", "stock", "prices", "search", "mailer", "gateway", "reports"),
			"rs":      pool(60, 0.6, suffix(10)),
			"pod":     suffix(5),
			"version": counter(8_412_000, zipf(60, 1)),
			"node":    pool(12, 0.2, address("10.4.", 2)),
			"took":    integer(1, lognormal(18, 0.9, 900), 1),
			"micros":  digits(3),
			"ready":   integer(0, weights(1, 1, 6), 1),
			"uid":     uuid,
			"object":  pick(0.8, "Pod", "Service", "Endpoints", "ConfigMap", "Deployment"),
		},
		flows: []flow{
			{50, []entry{
				{"info", `I{time}       1 controller.go:142] "Reconciling" object="{ns}/{app}" resourceVersion="{version}"`},
				{"info", `I{time}       1 controller.go:198] "Reconciled" object="{=ns}/{=app}" took="{took}.{micros}ms" ready={ready}`},
			}},
			{20, []entry{
				{"info", `I{time}       1 scale.go:77] "Scaled up" replicaSet="{ns}/{app}-{rs}" pod="{=app}-{=rs}-{pod}" node="{node}"`},
				{"info", `I{time}       1 event.go:389] "Event occurred" object="{=ns}/{=app}-{=rs}-{=pod}" uid="{uid}" kind="Pod" reason="Scheduled"`},
			}},
			{20, []entry{{"debug", `I{time}       1 reflector.go:800] k8s.io/client-go/informers/factory.go:160: Watch close - *v1.{object} total {took} items received`}}},
			{8, []entry{{"warn", `W{time}       1 queue.go:55] "Requeued after conflict" object="{ns}/{app}" err="the object has been modified; resourceVersion {version} is stale"`}}},
			{2, []entry{{"error", `E{time}       1 probe.go:91] "Readiness probe failed" pod="{ns}/{app}-{rs}-{pod}" err="Get \"http://{node}:8080/ready\": context deadline exceeded"`}}},
		},
	}
}

// windowsKind is a system event log in lines that end in CR LF.
func windowsKind() kind {
	return kind{
		gaps: exponential(40),
		fields: map[string]field{
			"time":    clock("01/02/2006 03:04:05 PM"),
			"service": pick(0.9, "Print Spooler", "Windows Update", "Background Transfer", "Remote Registry", "Time Synchronization", "Installer"),
			"state":   pick(0.4, "running", "stopped"),
			"hr":      pick(1.6, "0x00000000", "0x80070005", "0x80240017", "0x800f0816"),
			"session": counter(30_546_354, zipf(80, 0.8)),
			"micros":  digits(7),
			"kb":      uniform(2_000_000, 3_900_000),
			"path":    pick(0.7, `C:\Windows\System32\svchost.exe`, `C:\Windows\System32\drivers\ndis.sys`, `C:\Program Files\Shop Client\update.exe`, `C:\ProgramData\Shop Client\cache.db`),
			"sid":     pool(9, 0.7, digits(10)),
		},
		flows: []flow{
			{40, []entry{{"info", "{time}\tInformation\tService Control\t7036\tThe {service} service entered the {state} state.\r"}}},
			{30, []entry{
				{"info", "{time}\tInformation\tServicing\t1013\tSession: {session}_{micros} initialized by client Installer.\r"},
				{"info", "{time}\tInformation\tServicing\t1014\tRead out cached applicability for package KB{kb}, session {=session}_{=micros} [HRESULT = {hr}]\r"},
			}},
			{20, []entry{{"info", "{time}\tInformation\tSecurity\t4624\tAn account was successfully logged on.  Security ID: S-1-5-21-{sid}  Process: {path}\r"}}},
			{8, []entry{{"warn", "{time}\tWarning\tDisk\t153\tThe IO operation at logical block address 0x{session} for {path} was retried.\r"}}},
			{2, []entry{{"error", "{time}\tError\tApplication\t1000\tFaulting application path: {path}  Exception code: {hr}  Fault offset: 0x{session}\r"}}},
		},
	}
}

// SPDX-License-Identifier: GPL-2.0
/* Requests: what they do, and what they print, byte for byte where scripts read it. */
#include <json-c/json.h>

#include "mgmt_account.h"
#include "t_mgmt_rig.h"

/* The example that scripts were written for. */
static const char example[] =
"Target 1: iqn.2001-04.com.example:t1\n"
"    System information:\n"
"        Driver: iscsi\n"
"        State: ready\n"
"    I_T nexus information:\n"
"        I_T nexus: 1\n"
"            Initiator: iqn.1993-08.org.debian:01:abc alias: host\n"
"            Connection: 0\n"
"                IP Address: 127.0.0.1\n"
"    LUN information:\n"
"        LUN: 0\n"
"            Type: controller\n"
"            SCSI ID: IET     00010000\n"
"            SCSI SN: beaf10\n"
"            Size: 0 MB, Block size: 1\n"
"            Online: Yes\n"
"            Removable media: No\n"
"            Prevent removal: No\n"
"            Readonly: No\n"
"            SWP: No\n"
"            Thin-provisioning: No\n"
"            Backing store type: null\n"
"            Backing store path: None\n"
"            Backing store flags: \n"
"        LUN: 1\n"
"            Type: disk\n"
"            SCSI ID: IET     00010001\n"
"            SCSI SN: beaf11\n"
"            Size: 67 MB, Block size: 512\n"
"            Online: Yes\n"
"            Removable media: No\n"
"            Prevent removal: No\n"
"            Readonly: Yes\n"
"            SWP: No\n"
"            Thin-provisioning: No\n"
"            Backing store type: aio\n"
"            Backing store path: DIR/a.img\n"
"            Backing store flags: sync:direct\n"
"        LUN: 300\n"
"            Type: disk\n"
"            SCSI ID: IET     0001012c\n"
"            SCSI SN: beaf1300\n"
"            Size: 1 MB, Block size: 4096\n"
"            Online: No\n"
"            Removable media: Yes\n"
"            Prevent removal: No\n"
"            Readonly: No\n"
"            SWP: No\n"
"            Thin-provisioning: Yes\n"
"            Backing store type: mem\n"
"            Backing store path: None\n"
"            Backing store flags: \n"
"    Account information:\n"
"        joe\n"
"        bob (outgoing)\n"
"    ACL information:\n"
"        ALL\n"
"        10.0.0.0/8\n"
"        iqn.1993-08.org.debian:01:abc\n";

/* With DIR for the test's directory. */
static void with_dir(const char *text, char *out, size_t size)
{
	const char *dir;

	*out = '\0';
	while ((dir = strstr(text, "DIR"))) {
		snprintf(out + strlen(out), size - strlen(out), "%.*s%s", (int)(dir - text), text,
			 rig_dir);
		text = dir + 3;
	}
	snprintf(out + strlen(out), size - strlen(out), "%s", text);
}

static void ok(const char *line)
{
	char all[1024];

	with_dir(line, all, sizeof(all));
	rig_ok(all);
}

static void fails(const char *line, const char *text)
{
	char all[1024];

	with_dir(line, all, sizeof(all));
	rig_fails(all, text);
}

static void prints(const char *line, const char *text)
{
	char all[8192];

	with_dir(text, all, sizeof(all));
	rig_prints(line, all);
}

static void image_make(const char *name, off_t size)
{
	const char *path = rig_path(name);

	rig_write(path, "");
	assert_int_equal(truncate(path, size), 0);
}

static void target_make(void)
{
	ok("--lld iscsi --op new --mode target --tid 1 -T iqn.2001-04.com.example:t1");
}

static void example_make(void)
{
	image_make("a.img", 64 << 20);
	target_make();
	ok("--lld iscsi --op update --mode lu --tid 1 --lun 0 "
	   "--params 'scsi_id=IET     00010000,scsi_sn=beaf10'");
	ok("--lld iscsi --op new --mode logicalunit --tid 1 --lun 1 -b DIR/a.img "
	   "--bsoflags direct:sync --params 'scsi_id=IET     00010001,scsi_sn=beaf11,readonly=1,"
	   "thin_provisioning=0'");
	ok("--lld iscsi --op new --mode logicalunit --tid 1 --lun 300 --bstype mem --bsopts 1M "
	   "--blocksize 4096");
	ok("--lld iscsi --op update --mode logicalunit --tid 1 --lun 300 "
	   "--params 'scsi_id=IET     0001012c,scsi_sn=beaf1300,removable=1'");
	ok("--lld iscsi --op update --mode logicalunit --tid 1 --lun=300 --params online=No");
	ok("--lld iscsi --mode account --op new --user=joe --password=secret");
	ok("--lld iscsi --mode account --op new --user=bob --password='s e'");
	ok("--lld iscsi --mode account --op bind --tid=1 --user=bob --outgoing");
	ok("--lld iscsi --mode account --op bind --tid=1 --user=joe");
	ok("--lld iscsi --op bind --mode target --tid 1 -I ALL");
	ok("--lld iscsi --op bind --mode target --tid 1 -I 10.0.0.0/8");
	ok("--lld iscsi --op bind --mode target --tid 1 -Q iqn.1993-08.org.debian:01:abc");
}

static void test_show_target(void **state)
{
	(void)state;
	prints("--op show", "");
	example_make();
	assert_int_equal(tgt_nexus_add(tgt_target_find(1), &rig_nexus), 0);
	prints("--op show --mode target", example);
	prints("--op show", example);
	prints("--lld iscsi --op show --mode conn --tid 1",
	       "Session: 1\n    Connection: 0\n        Initiator: iqn.1993-08.org.debian:01:abc\n"
	       "        IP Address: 127.0.0.1\n");
	prints("--lld iscsi --op show --mode account", "Account list:\n    bob\n    joe\n");
	ok("--lld iscsi --op update --mode target --tid 1 -n HeaderDigest -v CRC32C");
	prints("--lld iscsi --op show --mode target --tid 1", "HeaderDigest=CRC32C\n");
}

static void test_show_system(void **state)
{
	(void)state;
	ok("--mode system --op show");
	assert_non_null(strstr(rig_last.text, "System:\n    State: ready\n    debug: off\nLLDs:\n"
			       "    iscsi: ready\n    loop: ready\nBacking stores:\n"));
	/* Longhorn looks for this one. */
	assert_non_null(strstr(rig_last.text, "\n    rdwr (bsoflags sync:direct)\n"));
	assert_non_null(strstr(rig_last.text, "\nDevice types:\n"));
	assert_non_null(strstr(rig_last.text, "\niSNS:\n    iSNS=Off\n"));
	ok("--op update --mode sys --name debug --value on");
	ok("--op update --mode sys --name State --value offline");
	assert_false(tgt_system_online());
	ok("--mode sys --op show");
	assert_non_null(strstr(rig_last.text, "    State: offline\n    debug: on\n"));
	ok("--op update --mode sys --name debug -v off");
	tgt_log_set_level(TGT_LOG_ERR);
	ok("--op update --mode sys --name State -v ready");
	fails("--op update --mode sys --name State -v maybe", "invalid request");
	fails("--op update --mode sys --name foo -v maybe", "invalid request");
	ok("--op show --mode lld");
	assert_string_equal(rig_last.text, "LLDs:\n    iscsi: ready\n    loop: ready\n");
}

static void test_target(void **state)
{
	(void)state;
	target_make();
	fails("--lld iscsi --op new --mode target --tid 1 -T iqn.other",
	      "this target already exists");
	fails("--lld iscsi --op new --mode target --tid 2 -T iqn.2001-04.com.example:t1",
	      "this target already exists");
	fails("--lld foo --op new --mode target --tid 2 -T iqn.b", "can't find the driver");
	fails("--lld iscsi --op new --mode target --tid 2 -T 'iqn b'", "blanks");
	fails("--lld iscsi --op new --mode target --tid 2 -T b --params foo=1", "no parameter foo");
	fails("--lld iscsi --op new --mode target --tid 2 -T b --params foo", "invalid request");
	/* Without --lld it is iscsi's. */
	ok("--op new --mode target --tid 2 -T iqn.b --params queue_depth=3,");
	fails("--lld iscsi --op delete --mode target --tid 3", "can't find the target");
	fails("--lld loop --op delete --mode target --tid 2", "can't find the target");
	fails("--op show --mode target --tid 3", "can't find the target");
	ok("--op update --mode target --tid 2 -n state -v offline");
	ok("--op show");
	assert_non_null(strstr(rig_last.text, "Target 2: iqn.b\n    System information:\n"
			       "        Driver: iscsi\n        State: offline\n"));
	ok("--op update --mode target --tid 2 -n state -v ready");
	fails("--op update --mode target --tid 2 -n state -v maybe", "invalid request");
	fails("--op update --mode target --tid 2 -n foo -v maybe", "invalid request");
	fails("--op update --mode target --tid 2 -n HeaderDigest -v x", "HeaderDigest is");

	assert_int_equal(tgt_nexus_add(tgt_target_find(1), &rig_nexus), 0);
	ok("--mode account --op new --user joe --password x");
	ok("--mode account --op bind --tid 1 --user joe");
	fails("--op delete --mode target --tid 1", "this target is still active");
	ok("--op show");
	/* The refusal took nothing from it. */
	assert_non_null(strstr(rig_last.text, "    Account information:\n        joe\n"));
	ok("--op delete --mode target --tid 1 --force");
	ok("--lld iscsi --op delete --mode target --tid 2");
	prints("--op show", "");
	ok("--mode account --op delete --user joe");
}

static void test_lu(void **state)
{
	(void)state;
	image_make("a.img", 1 << 20);
	target_make();
	ok("--lld iscsi --op new --mode lu --tid 1 --lun 1 -b DIR/a.img");
	/* Cinder looks for the exact line. */
	ok("--lld iscsi --op show --mode target");
	assert_non_null(strstr(rig_last.text, "\n        LUN: 1\n"));
	fails("--lld iscsi --op new --mode lu --tid 1 --lun 1 -b DIR/a.img",
	      "this logical unit number already exists");
	fails("--lld iscsi --op new --mode lu --tid 1 --lun 0 -b DIR/a.img",
	      "this logical unit number already exists");
	fails("--op new --mode lu --tid 2 --lun 1 -b DIR/a.img", "can't find the target");
	fails("--op new --mode lu --tid 1 --lun 2 -b DIR/none", "No such file");
	fails("--op new --mode lu --tid 1 --lun 2 -b ''", "empty");
	fails("--op new --mode lu --tid 1 --lun 2", "give --backing-store PATH");
	fails("--op new --mode lu --tid 1 --lun 2 -b DIR/a.img -E foo", "foo");
	fails("--op new --mode lu --tid 1 --lun 2 -b DIR/a.img -Y foo", "foo");
	fails("--op new --mode lu --tid 1 --lun 2 -b DIR/a.img -y 1000", "block size");
	fails("--op new --mode lu --tid 1 --lun 2 -b DIR/a.img -f fast", "sync, direct");
	fails("--op new --mode lu --tid 1 --lun 2 -b DIR/a.img -P uuid=1", "UUID");
	fails("--op new --mode lu --tid 1 --lun 2 -b DIR/a.img -P foo=1", "foo");
	fails("--op new --mode lu --tid 1 --lun 2 -b DIR/a.img -P scsi_sn", "name=value");
	fails("--op show --mode lu --tid 1 --lun 2", "can't find the logical unit");

	ok("--op update --mode lu --tid 1 --lun 1");
	ok("--op update --mode lu --tid 1 --lun 1 --params vendor_id=ACME,readonly=1");
	fails("--op update --mode lu --tid 1 --lun 2 --params readonly=1",
	      "can't find the logical unit");
	fails("--op update --mode lu --tid 1 --lun 1 --params nonsuch=1", "invalid request");
	fails("--op update --mode lu --tid 1 --lun 1 --params readonly", "invalid request");
	fails("--op update --mode lu --tid 1 --lun 1 --params readonly=maybe", "invalid request");
	fails("--op update --mode lu --tid 1 --lun 1 --params scsi_sn=", "scsi_sn is empty");
	fails("--op update --mode lu --tid 1 --lun 1 --params path=DIR/b.img",
	      "invalid request: the path can't be changed");
	ok("--op update --mode lu --tid 1 --lun 1 --params path=DIR/a.img");
	image_make("a.img", 3000000);
	ok("--op show --mode lu --tid 1 --lun 1");
	assert_non_null(strstr(rig_last.text, "Size: 1 MB"));
	assert_int_equal(truncate(rig_path("a.img"), 4 << 20), 0);
	fails("--op delete --mode lu --tid 1 --lun 0", "invalid request");
	fails("--op delete --mode lu --tid 1 --lun 2", "can't find the logical unit");
	/* Rounded: 33.6. */
	ok("--op new --mode lu --tid 1 --lun 3 -E null -S 32M");
	ok("--op show --mode lu --tid 1 --lun 3");
	assert_non_null(strstr(rig_last.text, "Size: 34 MB"));
	ok("--op delete --mode lu --tid 1 --lun 3");
	/* Without a mode. */
	ok("--lld iscsi --op delete --tid 1 --lun 1");
	fails("--lld iscsi --op delete --tid 1 --lun 1", "can't find the logical unit");
}

/* The same target, LUN and store: the same serial, however often it is made. */
static void test_serial(void **state)
{
	char *first, *line;

	(void)state;
	image_make("a.img", 1 << 20);
	target_make();
	ok("--op new --mode lu --tid 1 --lun 1 -b DIR/a.img");
	ok("--op show");
	first = strdup(rig_last.text);
	line = strstr(first, "SCSI SN: ");
	assert_non_null(line);
	/* Not made of numbers that other machines have too. */
	assert_int_equal(strspn(line + 9, "0123456789abcdef"), 32);
	ok("--op delete --mode lu --tid 1 --lun 1");
	ok("--op new --mode lu --tid 1 --lun 1 -b DIR/a.img");
	rig_prints("--op show", first);
	ok("--op delete --mode target --tid 1");
	target_make();
	ok("--op new --mode lu --tid 1 --lun 1 -b DIR/a.img");
	rig_prints("--op show", first);
	free(first);
	ok("--op new --mode lu --tid 1 --lun 2 --bstype null --bsopts 1M "
	   "--params uuid=12345678-9abc-4def-8123-456789abcdef");
	ok("--op show --mode lu --tid 1 --lun 2");
	assert_non_null(strstr(rig_last.text, "SCSI SN: 123456789abc4def8123456789abcdef\n"));
}

static void test_access(void **state)
{
	(void)state;
	target_make();
	ok("--op bind --mode target --tid 1 -I 10.0.0.0/8");
	fails("--op bind --mode target --tid 1 -I 10.0.0.0/8",
	      "this access control rule already exists");
	fails("--op bind --mode target --tid 1 -I foo", "invalid request");
	fails("--op bind --mode target --tid 1 -I 10.0.0.1/8", "all 0 after its first BITS");
	fails("--op bind --mode target --tid 1 -Q 'a b'", "invalid request");
	fails("--op bind --mode target --tid 1 -B 1", "invalid request");
	fails("--op bind --mode target --tid 2 -I ALL", "can't find the target");
	fails("--op unbind --mode target --tid 1 -I ALL",
	      "this access control rule does not exist");
	fails("--op unbind --mode target --tid 1 -Q iqn.x",
	      "this access control rule does not exist");
	ok("--op bind --mode target --tid 1 -Q iqn.x");
	ok("--op unbind --mode target --tid 1 -I 10.0.0.0/8");
	ok("--op unbind --mode target --tid 1 -Q iqn.x");
	/* As tgt-admin does it. */
	ok("--op bind --mode target --tid 1 -Q iqn.y");
	ok("--op unbind --mode target --tid 1 -I iqn.y");
	fails("--op unbind --mode target --tid 1 -I iqn.y",
	      "this access control rule does not exist");
	ok("--op show");
	assert_non_null(strstr(rig_last.text, "    ACL information:\n"));
	assert_string_equal(strstr(rig_last.text, "    ACL information:\n"),
			    "    ACL information:\n");
}

static void test_accounts(void **state)
{
	struct tgt_target *target;

	(void)state;
	target_make();
	target = tgt_target_find(1);
	ok("--mode account --op new --user joe --password x");
	fails("--mode account --op new --user joe --password x", "this account already exists");
	fails("--mode account --op new --user '' --password x", "at least one");
	fails("--mode account --op bind --tid 1 --user bob", "can't find the account");
	fails("--mode account --op unbind --tid 1 --user joe", "can't find the account");
	fails("--mode account --op delete --user bob", "can't find the account");
	fails("--mode account --op bind --tid 2 --user joe", "can't find the target");
	ok("--mode account --op new --user bob --password y");
	ok("--mode account --op bind --tid 1 --user joe");
	fails("--mode account --op bind --tid 1 --user joe", "this account already exists");
	ok("--mode account --op bind --tid 1 --user joe --outgoing");
	fails("--mode account --op bind --tid 1 --user bob --outgoing", "this target already has an outgoing account");
	ok("--mode account --op bind --user bob");
	ok("--mode account --op bind --user bob");
	assert_string_equal(tgt_account_incoming(&target->accounts, "joe")->password, "x");
	assert_null(tgt_account_incoming(&target->accounts, "bob"));
	assert_string_equal(tgt_account_outgoing(&target->accounts)->user, "joe");
	assert_non_null(tgt_account_incoming(&tgt_discovery_accounts, "bob"));
	ok("--mode account --op unbind --tid 1 --user joe");
	assert_null(tgt_account_incoming(&target->accounts, "joe"));
	assert_non_null(tgt_account_outgoing(&target->accounts));
	/* Deleted, it is nowhere used any more. */
	ok("--mode account --op delete --user joe");
	assert_null(tgt_account_outgoing(&target->accounts));
	ok("--mode account --op delete --user bob");
	assert_true(tgt_list_empty(&tgt_discovery_accounts));
	prints("--mode account --op show", "Account list:\n");
}

static void test_sessions(void **state)
{
	(void)state;
	target_make();
	ok("--lld loop --op new --mode target --tid 2 -T bare");
	fails("--op show --mode conn --tid 2", "invalid request");
	fails("--op delete --mode conn --tid 2 --sid 1 --cid 0", "invalid request");
	fails("--op delete --mode session --tid 1 --sid 1", "invalid request");
	fails("--lld loop --op new --mode portal --param portal=1.2.3.4:3260", "invalid request");
	prints("--op show --mode conn --tid 1", "");
	fails("--op show --mode conn --tid 3", "can't find the target");
	fails("--op delete --mode conn --tid 1 --sid 1 --cid 0", "can't find the session");
	assert_int_equal(tgt_nexus_add(tgt_target_find(1), &rig_nexus), 0);
	fails("--op delete --mode conn --tid 1 --sid 1 --cid 7", "can't find the connection");
	ok("--op delete --mode conn --tid 1 --sid 1 --cid 0");
	fails("--op delete --mode conn --tid 1 --sid 1 --cid 0", "can't find the session");
	ok("--lld iscsi --op new --mode portal --param portal=1.2.3.4:3260");
	prints("--op show --mode portal", "Portal: 1.2.3.4:3260,1\n");
	fails("--lld iscsi --op new --mode portal --param foo=1.2.3.4:3260", "invalid request");
	fails("--op delete --mode portal --param portal=1.2.3.4:1", "invalid request");
	ok("--op delete --mode portal --param portal=1.2.3.4:3260");
	ok("--lld iscsi --op new --mode portal --param portal=1.2.3.4:3261,tpgt=2");
	prints("--op show --mode portal", "Portal: 1.2.3.4:3261,2\n");
	ok("--op delete --mode portal --param portal=1.2.3.4:3261,tpgt=2");
}

static void test_stat(void **state)
{
	static const char head[] = "tgt lun sid rd_subm(bytes,cmds) rd_done(bytes,cmds) "
		"wr_subm(bytes,cmds) wr_done(bytes,cmds) errs\n";
	struct tgt_lu_stats *stats;
	char all[512];

	(void)state;
	prints("--op stat --mode system", head);
	target_make();
	ok("--op new --mode lu --tid 1 --lun 1 --bstype null --bsopts 1M");
	assert_int_equal(tgt_nexus_add(tgt_target_find(1), &rig_nexus), 0);
	stats = &tgt_lun_find(tgt_target_find(1), 1)->threads[0].stats;
	stats->rd_bytes = 350392352;
	stats->rd_cmds = 85546;
	stats->errs = 1;
	snprintf(all, sizeof(all), "%s%s", head, "  1   1   1    350392352  85546    350392352  "
		 "85546            0      0            0      0    1\n");
	rig_prints("--op stat --mode lu --tid 1 --lun 1", all);
	fails("--op stat --mode lu --tid 1 --lun 2", "can't find the logical unit");
	ok("--op stat --mode target --tid 1");
	assert_int_equal(strncmp(rig_last.text, head, strlen(head)), 0);
	ok("--op stat --mode session --tid 1 --sid 1");
	fails("--op stat --mode session --tid 1 --sid 2", "can't find the session");
	ok("--op stat --mode conn --tid 1 --sid 1 --cid 0");
	tgt_nexus_del(&rig_nexus);
}

static void test_lld(void **state)
{
	(void)state;
	ok("--op stop --mode lld --lld iscsi");
	fails("--lld iscsi --op new --mode target --tid 1 -T iqn.a", "stopped");
	ok("--op show --mode lld");
	assert_non_null(strstr(rig_last.text, "iscsi: stopped\n"));
	ok("--op start --mode lld --lld iscsi");
	ok("--op start --mode lld --lld iscsi");
	target_make();
	fails("--op stop --mode lld --lld iscsi", "this driver is busy");
	fails("--op start --mode lld --lld foo", "can't find the driver");
	fails("--op delete --mode system", "invalid request");
}

static void json(const char *line, enum json_type type)
{
	struct json_object *root;

	ok(line);
	root = json_tokener_parse(rig_last.text);
	if (!json_object_is_type(root, type))
		fail_msg("%s: %s", line, rig_last.text);
	json_object_put(root);
}

static void test_json(void **state)
{
	(void)state;
	rig_write(rig_path("a\"b\\.img"), "");
	assert_int_equal(truncate(rig_path("a\"b\\.img"), 1 << 20), 0);
	prints("--op show --json", "[\n]\n");
	target_make();
	ok("--op new --mode lu --tid 1 --lun 1 -b 'DIR/a\"b\\.img'");
	ok("--op bind --mode target --tid 1 -I ALL");
	json("--op show --json", json_type_array);
	assert_non_null(strstr(rig_last.text, "/a\\\"b\\\\.img\""));
	assert_non_null(strstr(rig_last.text, "\"size_bytes\":1048576"));
	json("--op show --mode target --tid 1 --json", json_type_object);
	assert_int_equal(*rig_last.text, '{');
	json("--op show --mode system --json", json_type_object);
	json("--op show --mode lu --tid 1 --lun 1 --json", json_type_object);
	json("--op show --mode account --json", json_type_array);
	json("--op show --mode portal --json", json_type_array);
	json("--op show --mode lld --json", json_type_array);
	json("--op show --mode conn --tid 1 --json", json_type_array);
	json("--op stat --mode system --json", json_type_array);
	assert_non_null(strstr(rig_last.text, "\"read_bytes\":0"));
	json("--op stat --mode lu --tid 1 --lun 1 --json", json_type_array);
	unlink(rig_path("a\"b\\.img"));
}

static void test_many(void **state)
{
	char line[128];

	(void)state;
	target_make();
	for (int i = 1; i <= 300; i++) {
		snprintf(line, sizeof(line), "--op new --mode lu --tid 1 --lun %d --bstype null --bsopts 1M", i);
		ok(line);
	}
	ok("--op show");
	assert_non_null(strstr(rig_last.text, "        LUN: 300\n"));
	ok("--op delete --mode target --tid 1");
}

#define TEST(fn) cmocka_unit_test_setup(fn, rig_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_show_target),
		TEST(test_show_system),
		TEST(test_target),
		TEST(test_lu),
		TEST(test_serial),
		TEST(test_access),
		TEST(test_accounts),
		TEST(test_sessions),
		TEST(test_stat),
		TEST(test_lld),
		TEST(test_json),
		TEST(test_many),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}

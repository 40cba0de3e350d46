// SPDX-License-Identifier: GPL-2.0
/* tgtadm: checks its arguments, has tgtd do what they say, prints the answer. */
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "tgt_args.h"
#include "tgtadm_proto.h"
#include "version.h"

static const char usage[] =
"usage: tgtadm [--control-port N] --mode MODE --op OP [OPTION]...\n"
"\n"
"Targets\n"
"  --lld DRIVER --mode target --op new --tid TID --targetname NAME [--params N=V,...]\n"
"  --mode target --op delete --tid TID [--force]\n"
"  --mode target --op show [--tid TID] [--json]\n"
"  --mode target --op update --tid TID --name NAME --value VALUE\n"
"  --mode target --op bind|unbind --tid TID --initiator-address ADDRESS|ALL\n"
"  --mode target --op bind|unbind --tid TID --initiator-name NAME\n"
"  --mode target --op stat --tid TID [--json]\n"
"\n"
"Logical units\n"
"  --mode logicalunit --op new --tid TID --lun LUN [--backing-store PATH]\n"
"      [--bstype TYPE] [--bsopts OPTIONS] [--bsoflags sync:direct]\n"
"      [--blocksize BYTES] [--device-type TYPE] [--params N=V,...]\n"
"  --mode logicalunit --op delete --tid TID --lun LUN\n"
"  --mode logicalunit --op update --tid TID --lun LUN --params N=V,...\n"
"  --mode logicalunit --op show|stat --tid TID --lun LUN [--json]\n"
"\n"
"Accounts (CHAP)\n"
"  --mode account --op new --user NAME --password SECRET\n"
"  --mode account --op delete --user NAME\n"
"  --mode account --op bind|unbind [--tid TID] --user NAME [--outgoing]\n"
"  --mode account --op show\n"
"\n"
"Portals, sessions, connections\n"
"  --lld DRIVER --mode portal --op new|delete --param portal=ADDRESS:PORT\n"
"  --mode portal --op show\n"
"  --mode session|conn --op show --tid TID\n"
"  --mode conn --op delete --tid TID --sid SID --cid CID\n"
"\n"
"tgtd\n"
"  --mode system --op show|stat [--json]\n"
"  --mode system --op update --name debug|State --value VALUE\n"
"  --mode system --op save       write all this to the configuration file\n"
"  --mode system --op delete     end tgtd, if there is no target\n"
"  --mode lld --op show|start|stop --lld DRIVER\n"
"\n"
"Exit status: 0; 22 wrong arguments, or refused; 107 tgtd is not running;\n"
"1 unknown mode or operation.  See tgtadm(8).\n";

static int finish(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		perror("tgtadm: standard output");
		return TGTADM_EXIT_ERROR;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct tgt_args args;
	char err[256], *text;
	size_t len;
	int status;

	status = tgt_args_parse(argc, argv, &args, err, sizeof(err));
	if (status) {
		fprintf(stderr, "tgtadm: %s\n", err);
		return status;
	}
	if (tgt_args_has(&args, TGT_OPT_HELP)) {
		fputs(usage, stdout);
		return finish(0);
	}
	if (tgt_args_has(&args, TGT_OPT_VERSION)) {
		puts(TGT_VERSION);
		return finish(0);
	}
	status = client_request(args.number[TGT_OPT_PORT], argc, argv, &text, &len);
	if (status)
		fprintf(stderr, "tgtadm: %s\n", text ? text : "out of memory");
	else if (len)
		fwrite(text, 1, len, stdout);
	free(text);
	return finish(status);
}

# SPDX-License-Identifier: GPL-2.0
#
# What systemd does for a service: listening sockets, and a socket for sd_notify(3).
#
#	perl with-sockets.pl NOTES PORT... -- COMMAND...
#
# COMMAND gets sockets that listen on these ports of 127.0.0.1; what it says to
# systemd is appended to NOTES.  SIGTERM and SIGHUP are passed on; its exit status is
# ours.
use strict;
use warnings;
use Fcntl;
use IO::Handle;
use POSIX ();
use Socket;

my $notes = shift;
my @ports;
while (($_ = shift) ne '--') { push @ports, $_ }

socket(my $n, AF_UNIX, SOCK_DGRAM, 0) or die;
bind($n, pack_sockaddr_un("$notes.sock")) or die "$notes.sock: $!";
my @listen;
for (@ports) {
	socket(my $s, AF_INET, SOCK_STREAM, 0) or die;
	setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
	bind($s, pack_sockaddr_in($_, inet_aton('127.0.0.1'))) or die "port $_: $!";
	listen($s, 128) or die;
	push @listen, $s;
}

my $pid = fork();
if (!$pid) {
	# Away from where they are to be.
	my @fds = map { fcntl($_, F_DUPFD, 20) } @listen;
	my $fd = 3;
	POSIX::dup2($_, $fd++) for @fds;
	@ENV{qw(NOTIFY_SOCKET LISTEN_FDS LISTEN_PID)} = ("$notes.sock", scalar @fds, $$);
	exec @ARGV or die;
}
$SIG{$_} = do { my $s = $_; sub { kill $s, $pid } } for qw(TERM HUP);
open(my $out, '>>', $notes) or die;
$out->autoflush(1);
while (waitpid($pid, POSIX::WNOHANG()) == 0) {
	my $r = '';
	vec($r, fileno($n), 1) = 1;
	next if select($r, undef, undef, 0.1) <= 0;
	recv($n, my $note, 4096, 0);
	print $out "$note\n";
}
my $status = $?;
while (recv($n, my $note, 4096, MSG_DONTWAIT)) { print $out "$note\n" }
exit($status & 127 ? 128 + ($status & 127) : $status >> 8);

#!/usr/bin/perl
# Traces the changes that the real ldirectord makes to a table, event by event: its state machine, without network and
# kernel.
#
#   ldirectord-trace.pl /usr/sbin/ldirectord FOLDER
#
# Standard input: one JSON object per line, {"files": {NAME: TEXT}, "events": [EVENT]}; the file named "config" is the
# first configuration. Standard output: one JSON string per line, the trace: each event with the commands to ipvsadm, the
# calls of fallbackcommand, the messages that are logged and mailed, and the table. Events: start, check, stop,
# "down SERVER…", "up SERVER…", "reload [NAME]", "ipvs COMMAND OF IPVSADM", "eval EXPRESSION". All checks of a server that
# is down fail. The main program is removed. ipvsadm is simulated by a table with the kernel's rules. Files are written
# below FOLDER.
use strict;
use warnings;
use FindBin;
use JSON::PP;

my ($program, $folder) = splice @ARGV;
my (%table, @order, @out, %down);

# Provides the output of ipvsadm listings.
BEGIN {
	package Files;
	no strict 'refs';
	*main::open = sub (*;$@) {
		my ($handle, @how) = @_;
		return CORE::open($_[0], '<', \main::listing($1)) if $how[0] =~ /ipvsadm -L -n( --thresholds)? /;
		$handle = Symbol::qualify_to_ref($handle, 'main') unless ref $handle;
		return CORE::open($handle, $how[0], @how[1 .. $#how]) if @how > 1;
		return CORE::open($handle, $how[0]);
	};
}
use Symbol qw(qualify_to_ref);

require "$FindBin::Bin/ldirectord-program.pl";
load($program);

no strict 'refs';
no warnings qw(redefine once prototype);
our ($DAEMON_STATUS, $CONFIG, $CFGNAME, $HOSTNAME, $IPVSADM, $DEBUG) = (1, '', 'case', 'testhost', 'ipvsadm', 0);
our (@VIRTUAL, @OLDVIRTUAL);

# ---------------------------------------------------------------- ipvsadm

sub option {
	my ($command, $name) = @_;
	return $command =~ /(?:^|\s)-$name\s+(\S+)/ ? $1 : undef;
}

# Returns the kernel's error message, or nothing.
sub ipvsadm {
	my ($command) = @_;
	my ($verb) = $command =~ /^-([AEDaed])\b/ or die "ipvsadm $command";
	my ($kind, $name) = $command =~ /\s-([tuf])\s+(\S+)/ or die "ipvsadm $command";
	my $id = "-$kind $name" . ($command =~ /\s-6\b/ ? ' -6' : '');
	my $held = $table{$id};
	if ($verb eq 'A') {
		return 'Service already exists' if $held;
		push @order, $id;
	}
	elsif (!$held) { return 'Service not defined' }
	if ($verb =~ /[AE]/) {
		return 'invalid timeout value' if (option($command, 'p') // 1) == 0;
		my %service = (flags => $command =~ s/^-. \S+ \S+( -6)?\s*//r =~ s/\s+$//r, reals => $held ? $held->{reals} : [],
			scheduler => option($command, 's'), persistent => option($command, 'p'),
			netmask => option($command, 'M') // ($name =~ /^\[/ || $id =~ / -6/ ? 128 : '255.255.255.255'));
		$table{$id} = \%service;
		return;
	}
	if ($verb eq 'D') {
		delete $table{$id};
		@order = grep { $_ ne $id } @order;
		return;
	}
	my $real = option($command, 'r') // '';
	return "illegal real server address[:port] '$real' specified" unless $real =~ /^(\S+):(\d+)$/ && $1 ne '';
	my ($host, $port) = ($1, $2);
	my ($forward) = $command =~ /\s-([gmi])(?:\s|$)/;
	$forward //= 'g';
	$port = $1 if $verb ne 'd' && $kind ne 'f' && $forward ne 'm' && $name =~ /:(\d+)$/;
	$real = "$host:$port";
	my ($was) = grep { $_->{real} eq $real } @{ $held->{reals} };
	return 'Destination already exists' if $verb eq 'a' && $was;
	return 'No such destination' if $verb ne 'a' && !$was;
	@{ $held->{reals} } = grep { $_->{real} ne $real } @{ $held->{reals} } if $verb eq 'd';
	return if $verb eq 'd';
	my %now = (real => $real, forward => $forward, weight => (option($command, 'w') // 1) + 0,
		upper => option($command, 'x') // 0, lower => option($command, 'y') // 0);
	if ($was) { %$was = %now }
	else { push @{ $held->{reals} }, \%now }
	return;
}

my %FORWARDING = (g => 'Route', m => 'Masq', i => 'Tunnel');

sub serviceLine {
	my ($id) = @_;
	my $service = $table{$id};
	my ($kind, $name, $six) = $id =~ /^-(.) (\S+)( -6)?/;
	my $word = { t => 'TCP', u => 'UDP', f => 'FWM' }->{$kind};
	my $line = "$word  $name" . ($six ? ' IPv6' : '') . " $service->{scheduler}";
	$line .= ' (' . option($service->{flags}, 'b') . ')' if option($service->{flags}, 'b');
	$line .= ' ops' if $service->{flags} =~ /(^|\s)-o\b/;
	$line .= " persistent $service->{persistent} mask $service->{netmask}" if defined $service->{persistent};
	return $line;
}

sub listing {
	my ($thresholds) = @_;
	my $text = "IP Virtual Server\nProt\n  ->\n";
	for my $id (@order) {
		$text .= serviceLine($id) . "\n";
		for my $real (@{ $table{$id}{reals} }) {
			my @columns = $thresholds ? @$real{qw(upper lower)} : ($FORWARDING{ $real->{forward} }, $real->{weight});
			$text .= sprintf "  -> %-28s %-8s%-7s%-11s%-11s\n", $real->{real}, @columns, 0, 0;
		}
	}
	return $text;
}

# ---------------------------------------------------------------- its surroundings

*main::system_wrapper = sub {
	my ($command) = @_;
	if ($command =~ s/^ipvsadm\s+//) {
		my $refusal = ipvsadm($command);
		push @out, "ipvsadm $command", $refusal ? "  !! $refusal" : ();
		return $refusal ? 256 : 0;
	}
	push @out, "  exec: $command";
	return 0;
};
*main::ld_log = *main::ld_openlog = *main::check_signal = *main::ld_rm_file = sub { 0 };
*main::ld_gethostbyaddr = sub { undef };
*main::ld_emailalert_send = sub { push @out, "    log: $_[0]" };
*main::ld_exit = sub { die "exit $_[0]: $_[1]\n" };
*main::__config_log = sub {
	my ($line, $prefix, $message) = @_;
	push @out, "    log: $prefix at line $line: $message" if $prefix =~ /Error/;
};

for my $check (grep { /^check_/ } keys %main::) {
	next if $check =~ /^check_(signal|cfgfile|none|sql_log_errstr)$/;
	*{"main::$check"} = sub {
		my ($v, $r) = @_;
		my $is_up = !$down{"$r->{server}:$r->{port}"};
		main::service_set($v, $r, $is_up ? 'up' : 'down', { do_log => 1 }, '-');
		return $is_up ? 0 : 1;
	};
}
# SERVICE_UP and SERVICE_DOWN are what they are in this version.
our ($SERVICE_UP, $SERVICE_DOWN);

sub happen {
	my ($event, $case) = @_;
	my ($word, @rest) = split / /, $event;
	if ($word eq 'start') {
		$CONFIG = "$case/config";
		main::read_config();
		@OLDVIRTUAL = ();
		main::ld_setup();
		main::ld_start();
		$DAEMON_STATUS = 2;
	}
	elsif ($word eq 'check') { main::_ld_main_check_all() }
	elsif ($word eq 'stop') { main::ld_stop() }
	elsif ($word eq 'down') { $down{$_} = 1 for @rest }
	elsif ($word eq 'up') { delete $down{$_} for @rest }
	elsif ($word eq 'reload') {
		$CONFIG = "$case/$rest[0]" if @rest;
		main::reread_config();
	}
	elsif ($word eq 'ipvs') { main::system_wrapper("ipvsadm @rest") }
	elsif ($word eq 'eval') {
		my $value = eval "@rest";
		push @out, map { s/^  = \n?//r } split /\n/, "  = $value";
		$out[-1] = "  = $out[-1]" if $value !~ /\n/;
	}
	else { die "event $event" }
}

sub trace {
	my ($input, $number) = @_;
	my $case = "$folder/$number";
	mkdir $case;
	mkdir "$case/md";
	chdir $case;
	for my $name (keys %{ $input->{files} }) {
		CORE::open(my $file, '>', "$case/$name") or die "$case/$name: $!\n";
		print $file $input->{files}{$name} =~ s{/var/lib/example}{$case}gr;
		close $file;
	}
	local $SIG{__WARN__} = sub { };
	for my $event (@{ $input->{events} }) {
		push @out, "# $event";
		eval { happen($event, $case); 1 } or push @out, "    died: " . ($@ =~ s/\n.*//sr);
		push @out, '# table', grep { /^(TCP|UDP|FWM|  -> \S*:)/ } split /\n/, listing(0);
		push @out, '';
	}
	return join '', map { "$_\n" } @out;
}

$| = 1;
my $json = JSON::PP->new->canonical->latin1->allow_nonref;
my $number = 0;
while (my $line = <STDIN>) {
	$number++;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		print $json->encode(trace($json->decode($line), $number)), "\n";
		close STDOUT;
		require POSIX;
		POSIX::_exit(0);
	}
	waitpid $pid, 0;
}

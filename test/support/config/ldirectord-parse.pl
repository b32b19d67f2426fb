#!/usr/bin/perl
# Runs the parser of the real ldirectord on configuration files, without its daemon.
#
#   ldirectord-parse.pl /usr/sbin/ldirectord
#
# Standard input: one JSON object per line, {"text": FILE, "names": {HOST: ADDRESS}}; the characters of FILE are bytes.
# Standard output: one JSON object per line, {"rc", "messages", "model"}: exit code of a command, messages of ldirectord
# and, if it accepts the file, its data in memory before the first access to the kernel.
# Nothing is opened, resolved, started or changed: only the given names exist, files are empty, and the main program is
# removed.
use strict;
use warnings;
use FindBin;
use JSON::PP;
use Socket qw(AF_INET AF_INET6 AI_NUMERICHOST);
use Symbol qw(qualify_to_ref);

my ($program) = splice @ARGV;
my $text;     # the file being parsed
my %names;    # its host names
my @messages;

# Imported from another package, as Perl requires for a function that replaces a built-in one.
BEGIN {
	package Files;
	no strict 'refs';
	*main::open = sub (*;$@) {
		my ($handle, $how) = @_;
		$handle = Symbol::qualify_to_ref($handle, 'main');
		return CORE::open($handle, '<', \$text) if $how =~ /^</;
		my $folder = $how =~ m{^>>(.*)/} ? $1 || '/' : '.';
		if ($how eq '>>' || !-d $folder) { $! = 2; return 0 }
		return CORE::open($handle, '>>', '/dev/null');
	};
}


BEGIN { *CORE::GLOBAL::exit = sub { die { rc => $_[0] // 0 } } }
require "$FindBin::Bin/ldirectord-program.pl";
load($program);

no strict 'refs';
no warnings qw(redefine once prototype);
our ($DAEMON_STATUS, $CONFIG, $HOSTNAME, $IPVSADM, $DEBUG) = (1, 'case.cf', 'testhost', '/sbin/ipvsadm', 0);
our ($AUTOCHECK, $CALLBACK, $CHECKCOUNT, $CHECKINTERVAL, $CHECKTIMEOUT, $CLEANSTOP, $EMAILALERT, $EMAILALERTFREQ,
	$EMAILALERTFROM, $EMAILALERTSTATUS, $FAILURECOUNT, $FALLBACK, $FALLBACK6, $FALLBACKCOMMAND, $FORKING, $LDIRLOG,
	$MAINTDIR, $NEGOTIATETIMEOUT, $QUIESCENT, $READDQUIESCENT, $SMTP, $SUPERVISED, %LD_INSTANCE, @VIRTUAL);

*main::ld_log = *main::ld_rm_file = *main::ld_openlog = sub { 0 };
*main::ld_exit = sub { die { rc => $_[0] } };
*main::__config_log = sub {
	my ($line, $prefix, $message) = @_;
	my $where = $line > 0 ? " at line $line" : '';
	push @messages, join ' ', split ' ', "$prefix$where: $message";
};

my $resolve = \&main::getaddrinfo;
*main::getaddrinfo = sub {
	my ($name, $port, $family) = @_;
	my @found = $resolve->($name, $port, $family, 0, 0, AI_NUMERICHOST);
	return @found if @found > 3;
	my $address = $names{$name} // return 'unknown';
	return $resolve->($address, $port, $family, 0, 0, AI_NUMERICHOST);
};

# A range may have millions of addresses.
my $reals;
my $add = \&main::add_real_server;
*main::add_real_server = sub {
	die { rc => 254, why => 'too many real servers' } if ++$reals > 5000;
	goto &$add;
};

sub globals {
	return {
		autoreload => $AUTOCHECK, callback => $CALLBACK, checkcount => $CHECKCOUNT, checkinterval => $CHECKINTERVAL,
		checktimeout => $CHECKTIMEOUT, cleanstop => $CLEANSTOP, emailalert => $EMAILALERT,
		emailalertfreq => $EMAILALERTFREQ, emailalertfrom => $EMAILALERTFROM, emailalertstatus => $EMAILALERTSTATUS,
		execute => [sort keys %LD_INSTANCE], failurecount => $FAILURECOUNT, fallback => $FALLBACK,
		fallback6 => $FALLBACK6, fallbackcommand => $FALLBACKCOMMAND, fork => $FORKING, logfile => $LDIRLOG,
		maintenancedir => $MAINTDIR, negotiatetimeout => $NEGOTIATETIMEOUT, quiescent => $QUIESCENT,
		readdquiescent => $READDQUIESCENT, smtp => $SMTP, supervised => $SUPERVISED,
	};
}

sub virtual {
	my ($virtual) = @_;
	return {
		%$virtual,
		addressfamily => $virtual->{addressfamily} == AF_INET6 ? 6 : 4,
		real => [map { { %$_, _id => main::get_real_id_str($_, $virtual) } } @{ $virtual->{real} }],
		_id => main::get_virtual_id_str($virtual),
		_effective_fallback => main::fallback_find($virtual),
	};
}

sub parse {
	my ($case) = @_;
	$text = $case->{text};
	%names = %{ $case->{names} // {} };
	@messages = ();
	$reals = 0;
	my $refused = do {
		local $SIG{__WARN__} = sub { };
		eval { main::read_config(); main::ld_setup(); 1 } ? undef : $@;
	};
	$refused = { rc => 255, why => $refused } if defined $refused && !ref $refused;
	return { rc => $refused->{rc}, messages => [@messages, $refused->{why} // ()] } if $refused;
	local $SIG{__WARN__} = sub { };
	return { rc => 0, messages => [@messages], model => { global => globals(), virtual => [map { virtual($_) } @VIRTUAL] } };
}

my $json = JSON::PP->new->canonical->latin1;
while (my $line = <STDIN>) {
	print $json->encode(parse($json->decode($line))), "\n";
}

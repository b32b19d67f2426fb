# The functions of the real ldirectord, without its main program: for the drivers beside this file, which require it.
use strict;
use warnings;

# Defines them in main. What they open and run is what the caller has put in the place of open and exit by then.
sub load {
	my ($program) = @_;
	CORE::open(my $file, '<', $program) or die "$program: $!\n";
	my $source = do { local $/; <$file> };
	$source =~ s/^# main code\n.*?^# functions\n//ms or die "$program: where its main program stands is not seen\n";
	$ENV{HOSTNAME} = 'testhost';
	local $SIG{__WARN__} = sub { };
	no strict;
	no warnings;
	eval $source;
	die $@ if $@;
}

1;

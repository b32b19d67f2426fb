# Loads the functions of the real ldirectord without its main program. The drivers in this folder require this file.
use strict;
use warnings;

# Defines the functions in package main. They use the replacements of open and exit that the caller has defined before.
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

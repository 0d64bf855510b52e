# XOAUTH2.pm - the mechanism that Authen::SASL has from 2.1700 on, for the older one of this
# system: git send-email's path is tested with it (clients-mta.bats).
package Authen::SASL::Perl::XOAUTH2;

use strict;
use warnings;
our @ISA = ('Authen::SASL::Perl');

my %secflags = (noanonymous => 1);

sub _order    { 1 }
sub mechanism { 'XOAUTH2' }

sub _secflags {
    shift;
    return scalar grep { $secflags{$_} } @_;
}

# One message with user and token (RFC 7628 has its newer form).
sub client_start {
    my $self = shift;

    $self->{error} = undef;
    $self->{need_step} = 1;
    return sprintf "user=%s\001auth=Bearer %s\001\001", map { $self->_call($_) } qw(user pass);
}

# What comes then is the server's refusal, to be answered with nothing.
sub client_step { return '' }

1;

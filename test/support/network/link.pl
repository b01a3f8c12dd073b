# A link that delays and loses frames: what comes in at one of two TAP devices goes out at the other, later or never. For kernels without
# netem. Delay in milliseconds each way, and loss in percent, come on stdin, a line `delay loss` each. It ends with stdin.
# usage: link.pl DEVICE DEVICE
use strict;
use warnings;
use Fcntl;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use constant {
  TUNSETIFF => 0x400454ca,
  TAP_WITHOUT_HEADER => 0x1002,
  MOST_AT_ONCE => 64,
  LONGEST_FRAME => 65_536,
};

sub device {
  my ($name) = @_;
  sysopen(my $tap, "/dev/net/tun", O_RDWR | O_NONBLOCK) or die "/dev/net/tun: $!\n";
  ioctl($tap, TUNSETIFF, pack("a16 S x22", $name, TAP_WITHOUT_HEADER)) or die "$name: $!\n";
  return $tap;
}

my @ends = map { device($_) } @ARGV;
# Frames on their way to each end: [when it is due, frame], in order.
my @away = ([], []);
my ($delay, $loss) = (0, 0);
$| = 1;
print "ready\n";

while (1) {
  my $now = clock_gettime(CLOCK_MONOTONIC);
  my $next;
  for my $end (0, 1) {
    my $queue = $away[$end];
    syswrite($ends[$end], (shift @$queue)->[1]) while @$queue && $queue->[0][0] <= $now;
    next unless @$queue;
    my $left = $queue->[0][0] - $now;
    $next = $left if !defined $next || $left < $next;
  }
  my $ready = "";
  vec($ready, fileno($_), 1) = 1 for @ends, \*STDIN;
  select($ready, undef, undef, $next);
  $now = clock_gettime(CLOCK_MONOTONIC);
  for my $end (0, 1) {
    next unless vec($ready, fileno($ends[$end]), 1);
    for (1 .. MOST_AT_ONCE) {
      sysread($ends[$end], my $frame, LONGEST_FRAME) or last;
      push @{ $away[1 - $end] }, [$now + $delay / 1000, $frame] unless rand(100) < $loss;
    }
  }
  next unless vec($ready, fileno(STDIN), 1);
  sysread(STDIN, my $line, 100) or exit;
  ($delay, $loss) = $line =~ /([\d.]+) ([\d.]+)\n\z/ or die "What is $line?\n";
  print "ready\n";
}

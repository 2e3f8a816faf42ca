package lab

import "net"

// Unreachable is a list of servers as in WHERRY_TEST_SERVERS of which none answers.
func Unreachable() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	at := "://root@" + l.Addr().String()
	return "mysql-1=mysql" + at + " mysql-2=mysql" + at + " mariadb-1=mariadb" + at + " mariadb-2=mariadb" + at,
		l.Close()
}

CREATE TABLE `enums` (
  `a` enum('a','b''c','d,e','f\\g','h"i','','j`k') NOT NULL DEFAULT 'b''c',
  `b` set('x','y z','ü') DEFAULT 'x,ü',
  `c` enum('1','2') CHARACTER SET latin1 COLLATE latin1_bin DEFAULT '2',
  `d` enum(' lead','(p)','a;b') DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci

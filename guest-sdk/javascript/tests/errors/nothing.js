const secret = 1;
